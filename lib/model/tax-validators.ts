import * as atUid from 'stdnum/lib/cjs/at/uid';
import * as auAbn from 'stdnum/lib/cjs/au/abn';
import * as beVat from 'stdnum/lib/cjs/be/vat';
import * as bgVat from 'stdnum/lib/cjs/bg/vat';
import * as brCnpj from 'stdnum/lib/cjs/br/cnpj';
import * as caBn from 'stdnum/lib/cjs/ca/bn';
import * as chUid from 'stdnum/lib/cjs/ch/uid';
import * as cyVat from 'stdnum/lib/cjs/cy/vat';
import * as czDic from 'stdnum/lib/cjs/cz/dic';
import * as deStnr from 'stdnum/lib/cjs/de/stnr';
import * as deVat from 'stdnum/lib/cjs/de/vat';
import * as dkCvr from 'stdnum/lib/cjs/dk/cvr';
import * as eeKmkr from 'stdnum/lib/cjs/ee/kmkr';
import * as esNif from 'stdnum/lib/cjs/es/nif';
import * as fiAlv from 'stdnum/lib/cjs/fi/alv';
import * as frSiren from 'stdnum/lib/cjs/fr/siren';
import * as frSiret from 'stdnum/lib/cjs/fr/siret';
import * as frTva from 'stdnum/lib/cjs/fr/tva';
import * as gbVat from 'stdnum/lib/cjs/gb/vat';
import * as grVat from 'stdnum/lib/cjs/gr/vat';
import * as hrOib from 'stdnum/lib/cjs/hr/oib';
import * as huAnum from 'stdnum/lib/cjs/hu/anum';
import * as ieVat from 'stdnum/lib/cjs/ie/vat';
import * as ilHp from 'stdnum/lib/cjs/il/hp';
import * as inGstin from 'stdnum/lib/cjs/in/gstin';
import * as itIva from 'stdnum/lib/cjs/it/iva';
import * as jpCn from 'stdnum/lib/cjs/jp/cn';
import * as ltPvm from 'stdnum/lib/cjs/lt/pvm';
import * as luTva from 'stdnum/lib/cjs/lu/tva';
import * as lvPvn from 'stdnum/lib/cjs/lv/pvn';
import * as mtVat from 'stdnum/lib/cjs/mt/vat';
import * as mxRfc from 'stdnum/lib/cjs/mx/rfc';
import * as nlBtw from 'stdnum/lib/cjs/nl/btw';
import * as noOrgnr from 'stdnum/lib/cjs/no/orgnr';
import * as nzIrd from 'stdnum/lib/cjs/nz/ird';
import * as plNip from 'stdnum/lib/cjs/pl/nip';
import * as ptNif from 'stdnum/lib/cjs/pt/nif';
import * as roCui from 'stdnum/lib/cjs/ro/cui';
import * as seVat from 'stdnum/lib/cjs/se/vat';
import * as sgUen from 'stdnum/lib/cjs/sg/uen';
import * as siDdv from 'stdnum/lib/cjs/si/ddv';
import * as skDph from 'stdnum/lib/cjs/sk/dph';
import * as usEin from 'stdnum/lib/cjs/us/ein';
import type { Country } from './primitives';

type Validator = Pick<typeof deVat, 'validate'>;

/**
 * Numbers under which companies are registered for tax, by country. Imported one by one: the index of `stdnum`
 * loads every number of every country.
 */
export const validators: Readonly<Record<Country, readonly Validator[]>> = {
  AT: [atUid],
  AU: [auAbn],
  BE: [beVat],
  BG: [bgVat],
  BR: [brCnpj],
  CA: [caBn],
  CH: [chUid],
  CY: [cyVat],
  CZ: [czDic],
  DE: [deVat, deStnr],
  DK: [dkCvr],
  EE: [eeKmkr],
  ES: [esNif],
  FI: [fiAlv],
  FR: [frTva, frSiren, frSiret],
  GB: [gbVat],
  GR: [grVat],
  HR: [hrOib],
  HU: [huAnum],
  IE: [ieVat],
  IL: [ilHp],
  IN: [inGstin],
  IT: [itIva],
  JP: [jpCn],
  LT: [ltPvm],
  LU: [luTva],
  LV: [lvPvn],
  MT: [mtVat],
  MX: [mxRfc],
  NL: [nlBtw],
  NO: [noOrgnr],
  NZ: [nzIrd],
  PL: [plNip],
  PT: [ptNif],
  RO: [roCui],
  SE: [seVat],
  SG: [sgUen],
  SI: [siDdv],
  SK: [skDph],
  US: [usEin],
};
