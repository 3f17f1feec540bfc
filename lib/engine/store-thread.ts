import { serve } from '../store/thread-program';
// The procedures that the thread knows.
import './identity';
import './journal';

serve();
