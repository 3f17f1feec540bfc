import { serve } from '../../lib/remote/program';

serve();
