import {
  accountHost,
  accountRealm,
  isAccountId,
  restBaseUrl,
} from '../../../../lib/systems/netsuite/account';

describe('account id', () => {
  test.each([
    ['1234567', '1234567', '1234567'],
    ['1234567_SB1', '1234567-sb1', '1234567_SB1'],
    ['1234567-sb1', '1234567-sb1', '1234567_SB1'],
    [' 1234567_sb12 ', '1234567-sb12', '1234567_SB12'],
    ['TSTDRV1234567', 'tstdrv1234567', 'TSTDRV1234567'],
    ['1234567_RP', '1234567-rp', '1234567_RP'],
  ])('%p has host %p and realm %p', (accountId, host, realm) => {
    expect(accountHost(accountId)).toBe(host);
    expect(accountRealm(accountId)).toBe(realm);
    expect(restBaseUrl(accountId)).toBe(`https://${host}.suitetalk.api.netsuite.com`);
    expect(isAccountId(accountId)).toBe(true);
  });

  test.each(['', 'acme.example', 'https://1234567.app.netsuite.com', '1234567/..', '1234567_SB1_X', '12'])(
    '%p is none',
    (text) => expect(isAccountId(text)).toBe(false),
  );
});
