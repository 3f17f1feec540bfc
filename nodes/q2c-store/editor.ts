import { daysOrEmpty, shortName } from '../_shared/editor/validators';
import { defaults, type StoreProperties } from './types';

RED.nodes.registerType<StoreProperties>('q2c-store', {
  category: 'config',
  color: '#A6BBCF',
  icon: 'q2c-store.svg',
  defaults: {
    name: { value: defaults.name },
    path: { value: defaults.path },
    tenant: { value: defaults.tenant, validate: shortName },
    financialDays: { value: defaults.financialDays, validate: daysOrEmpty(400) },
    otherDays: { value: defaults.otherDays, validate: daysOrEmpty(1) },
    caseDays: { value: defaults.caseDays, validate: daysOrEmpty(1) },
    outboxDays: { value: defaults.outboxDays, validate: daysOrEmpty(1) },
  },
  paletteLabel() {
    return this._('label');
  },
  label() {
    return this.name || this._('label');
  },
});
