import type { DealDocument } from '../../lib/model';
import { readDeal } from '../_shared/message';
import sample from './sample-deal.json';

/** A checked and planned deal of the firm that the simulators know, to try a mapping on. */
export const sampleDeal = (): DealDocument => readDeal(structuredClone(sample));
