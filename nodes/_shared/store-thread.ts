import { serve } from '../../lib/store/thread-program';
// The procedures that the thread knows.
import '../../lib/engine/identity';
import '../../lib/engine/journal';
import '../../lib/observe/kpi/update';

serve();
