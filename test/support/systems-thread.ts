import { serve } from '../../lib/remote/program';

/** The program of the thread that calls vendors, which tests can end. */
serve();
new BroadcastChannel('end-systems-thread').onmessage = () => process.exit(1);
