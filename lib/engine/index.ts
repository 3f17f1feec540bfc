export { CaseOpened, ENGINE } from './cases';
export * from './engine';
export { type ActiveRun, type FlowError, isInterrupted } from './tracker';
export * from './types';
