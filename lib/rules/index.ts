export * from './case-policy';
export * from './firm';
export * from './plan';
export * from './readiness';
export * from './ready-deal';
