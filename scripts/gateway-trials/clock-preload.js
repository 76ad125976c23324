/** Lets a test set the calendar's clock of a process: on SIGUSR2 by the milliseconds in a file. */
import { readFileSync } from 'node:fs';

const file = process.env['TRIAL_CLOCK_FILE'] ?? '';
const RealDate = Date;
let offset = 0;
process.on('SIGUSR2', () => {
  offset = Number(readFileSync(file, 'utf8'));
});

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, self) =>
    Reflect.construct(target, given.length === 0 ? [target.now() + offset] : given, self),
  apply: () => new RealDate(RealDate.now() + offset).toString(),
  get: (target, name, receiver) =>
    name === 'now' ? () => target.now() + offset : Reflect.get(target, name, receiver),
});
