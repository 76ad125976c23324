import type { Input } from '../../src/contracts.ts';
import type { SeededRandom } from '../../src/stats/sampling.ts';
import type { MarkedAnswer } from '../../src/watermark/classifier-marker.ts';
import { margin } from '../../src/watermark/label/coins.ts';
import { topTwo } from '../../src/watermark/probability/distribution.ts';
import type { Suspect } from './innocents.ts';
import type { Task } from './task.ts';

/** What a tenant can do: ask, and compare what it gets with the two models that it holds. */
export interface Campaign {
  readonly task: Task;
  readonly random: SeededRandom;
  readonly questions: number;
  /** Differs from trial to trial; a kind of tenant may have several habits. */
  readonly turn: number;
  ask(input: Input): MarkedAnswer;
  /** The model that will be audited. */
  readonly suspect: Suspect;
  /** A clean copy: the tenant may know the protected model as well as its owner does. */
  clean(input: Input): Float64Array;
}

export type Tenant = (campaign: Campaign) => void;

/** Asks as many random questions as were sealed, whatever the answers. */
export const plain: Tenant = ({ task, random, questions, ask }) => {
  for (let asked = 0; asked < questions; asked += 1) ask(task.draw(random));
};

/** Chooses each question from the answers so far. */
export const adaptive: Tenant = (campaign) => {
  if (campaign.turn % 2 === 0) followsAgreement(campaign);
  else restsOnLead(campaign);
};

/** Stops asking as soon as the served answers look like the model that will be audited. */
export const stopWhenAhead: Tenant = ({ task, random, questions, turn, ask, suspect, clean }) => {
  const lead = new Lead(suspect, clean, task);
  for (let asked = 0; asked < questions; asked += 1) {
    const input = task.draw(random);
    lead.learn(input, ask(input));
    if (turn % 2 === 0 ? lead.labels >= 4 : lead.shifts >= 2) return;
  }
};

/** Asks mostly what a coin decides and the suspect answers by its pair, and stops when four ahead. */
export const coinsUntilAhead: Tenant = ({ task, random, questions, ask, suspect, clean }) => {
  const lead = new Lead(suspect, clean, task);
  for (let asked = 0; asked < questions && lead.labels < 4; asked += 1) {
    const wantsCoin = random.uniform() < 0.8;
    let input = task.draw(random);
    for (let tried = 0; wantsCoin && tried < 20 && !lead.canLead(input); tried += 1)
      input = task.draw(random);
    lead.learn(input, ask(input));
  }
};

/** Asks few questions many times, in two spellings of one canonical input. */
export const repetitive: Tenant = ({ task, random, questions, ask }) => {
  const asked: Input[] = [];
  while (asked.length < questions) {
    const old = asked.length > 8 && random.uniform() < 0.6;
    const input = old ? asked[random.integer(asked.length)]! : task.draw(random);
    asked.push(input);
    ask(random.uniform() < 0.5 ? input : task.respell(input));
  }
};

/**
 * Shapes what its traffic looks like by the coins: after a lost one it asks around that question, so
 * that it stands out less among the others; after a won one it stays away.
 */
export const shaping: Tenant = ({ task, random, questions, ask, suspect, clean }) => {
  const lead = new Lead(suspect, clean, task);
  const lost: Input[] = [];
  for (let asked = 0; asked < questions; asked += 1) {
    const around = lost.length > 0 && random.uniform() < 0.7;
    const input = around
      ? task.near(lost[random.integer(lost.length)]!, random)
      : task.draw(random);
    const before = lead.labels;
    lead.learn(input, ask(input));
    if (lead.labels < before) lost.push(input);
  }
};

/** Goes on near the inputs whose served answer agreed with the suspect, and away from others. */
function followsAgreement({ task, random, questions, ask, suspect }: Campaign): void {
  let agreed: Input[] = [];
  for (let asked = 0; asked < questions; asked += 1) {
    const base = agreed.length > 0 && random.uniform() < 0.7;
    const input = base
      ? task.near(agreed[random.integer(agreed.length)]!, random)
      : task.draw(random);
    if (task.profile.labels[ask(input).label] === labelOf(suspect, input)) agreed.push(input);
    else if (base) agreed = agreed.slice(1);
  }
}

/** Asks what a coin can decide until it leads, then only what no coin decides. */
function restsOnLead({ task, random, questions, ask, suspect, clean }: Campaign): void {
  const lead = new Lead(suspect, clean, task);
  for (let asked = 0; asked < questions; asked += 1) {
    const wantsCoins = lead.labels < 4;
    let input = task.draw(random);
    for (let tried = 0; tried < 6 && lead.isOpen(input) !== wantsCoins; tried += 1)
      input = task.draw(random);
    lead.learn(input, ask(input));
  }
}

/** How far served answers lean towards a suspect: in coins won, and in standard errors of shifts. */
class Lead {
  labels = 0;
  #sum = 0;
  #squares = 1e-12;
  readonly #suspect: Suspect;
  readonly #clean: (input: Input) => Float64Array;
  readonly #task: Task;

  constructor(suspect: Suspect, clean: (input: Input) => Float64Array, task: Task) {
    this.#suspect = suspect;
    this.#clean = clean;
    this.#task = task;
  }

  get shifts(): number {
    return this.#sum / Math.sqrt(this.#squares);
  }

  isOpen(input: Input): boolean {
    return margin(this.#clean(input)) < this.#task.profile.marginThreshold;
  }

  /** Whether a coin falls on the input, and the suspect answers one of its two sides. */
  canLead(input: Input): boolean {
    const outcome = this.#suspect(input);
    const names = topTwo(this.#clean(input)).map((k) => this.#task.profile.labels[k]);
    return this.isOpen(input) && 'answer' in outcome && names.includes(outcome.answer.label);
  }

  learn(input: Input, { served, label }: MarkedAnswer): void {
    const clean = this.#clean(input);
    const outcome = this.#suspect(input);
    if (!('answer' in outcome)) return;
    if (this.isOpen(input)) {
      const names = topTwo(clean).map((k) => this.#task.profile.labels[k]);
      const hit = outcome.answer.label === this.#task.profile.labels[label];
      if (names.includes(outcome.answer.label)) this.labels += hit ? 1 : -1;
    }
    const product = (outcome.answer.probabilities ?? []).reduce(
      (sum, p, k) => sum + (p - clean[k]!) * Math.log(served[k]! / clean[k]!),
      0,
    );
    this.#sum += product;
    this.#squares += product * product;
  }
}

function labelOf(suspect: Suspect, input: Input): string | undefined {
  const outcome = suspect(input);
  return 'answer' in outcome ? outcome.answer.label : undefined;
}
