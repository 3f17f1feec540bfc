import { type DealDocument, isCurrency, isDecimal, type Money } from '../../lib/model';

/**
 * What the firm stands to lose while a deal waits: the contract's value, else the opportunity's amount. One that is
 * not an amount, which may be the very reason why the deal waits, would spoil the sum over all cases.
 */
export function amountAtRisk({ contract, opportunity }: DealDocument): { amountAtRisk?: Money } {
  const amount = [contract?.totalValue, opportunity?.amount].find(isAmount);
  return amount === undefined ? {} : { amountAtRisk: amount };
}

function isAmount(money: Money | undefined): money is Money {
  return (
    money !== undefined && isDecimal(money.amount) && Number(money.amount) >= 0 && isCurrency(money.currency)
  );
}
