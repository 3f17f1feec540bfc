import { serve } from '../../lib/store/thread-program';
// The procedures that the thread knows.
import '../../lib/engine/dispatcher';
import '../../lib/engine/identity';
import '../../lib/engine/intake';
import '../../lib/engine/journal';
import '../../lib/engine/journal-outcomes';
import '../../lib/engine/run-end';
import '../../lib/engine/waiting';
import '../../lib/observe/kpi/update';

void serve();
