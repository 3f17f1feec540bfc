export { CaseOpened, ENGINE } from './cases';
export * from './engine';
export type { FlowError } from './tracker';
export * from './types';
