import { type BusinessEvent, businessEvent, newId } from '../../lib/model';

/** A project that was provisioned, in a version of its own. */
export function provisioned(id = newId('project'), version = 1): BusinessEvent {
  return businessEvent('q2c.project.provisioned.v1', {
    tenant: 'main',
    component: 'flow',
    correlationId: newId('opportunity'),
    version,
    data: { project: { id, externalRefs: [], name: `Project ${version}`, version }, changed: [] },
  });
}

/** A customer that was created. */
export function created(id = newId('customer')): BusinessEvent {
  return businessEvent('q2c.customer.created.v1', {
    tenant: 'main',
    component: 'flow',
    correlationId: newId('opportunity'),
    data: { customer: { id, externalRefs: [], legalName: 'ACME GmbH' }, changed: [] },
  });
}
