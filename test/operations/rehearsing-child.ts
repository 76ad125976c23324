/** Rehearses in a process of its own, which a test kills: [configuration, questions]. */
import { rehearse } from '../../src/operations/rehearse.ts';
import { smallRehearsal } from './small-rehearsal.ts';

const [configPath, questions] = process.argv.slice(2) as [string, string];
await rehearse(smallRehearsal(configPath, questions));
