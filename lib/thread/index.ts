export * from './channel';
export * from './limits';
export * from './wire-error';
