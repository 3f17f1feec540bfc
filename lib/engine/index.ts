export * from './engine';
export { StepFailed } from './step';
export type { FlowError } from './tracker';
export * from './types';
