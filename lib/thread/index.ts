export * from './channel';
export * from './wire-error';
