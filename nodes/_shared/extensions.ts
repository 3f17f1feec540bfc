import { jsonObjectSchema, registerExtension } from '../../lib/model';
import { manifests } from '../../lib/systems';

// What a system has besides the canonical model stands in an extension under its id, whichever node has put it there.
for (const system of Object.keys(manifests)) registerExtension(system, jsonObjectSchema);
