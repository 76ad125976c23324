import { createHash } from 'node:crypto';
import { openTextKernel } from '../../src/watermark/text/kernel/text-kernel.ts';
import { nativePrf } from '../../src/watermark/text/prfs/native.ts';
import { greenListScheme } from '../../src/watermark/text/schemes/green-list.ts';
import { gumbelScheme } from '../../src/watermark/text/schemes/gumbel.ts';
import type { TextScheme } from '../../src/watermark/text/schemes/scheme.ts';
import { tournamentScheme } from '../../src/watermark/text/schemes/tournament.ts';
import { interleavedMicroseconds } from './interleaved.ts';
import type { BenchRow } from './measure.ts';
import { openGreenListPeers } from './text-peers.ts';

const usualSize = 131_072;
const sizes = [32_000, usualSize, 262_144];
const options = { promptLength: 0 };
const unit = 'microseconds per token';

const prf = nativePrf(createHash('sha256').update('bench').digest(), 2);
let step = 0;

/** Every call meets a context that none before it had: no seed or keystream is used twice. */
function nextContext(): Int32Array {
  step += 1;
  return Int32Array.of(step >>> 8, step & 255);
}

/** What a green list over a whole vocabulary costs per token. */
export async function benchTextGreenLists(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const size of sizes) rows.push(...(await benchGreenList(size)));
  return rows;
}

async function benchGreenList(size: number): Promise<readonly BenchRow[]> {
  const half = greenListScheme(prf.green(0.5), 2, size);
  const quarter = greenListScheme(prf.green(0.25), 2, size);
  const kernel = openTextKernel(size);
  const copied = new Float32Array(size);
  const peers = await openGreenListPeers(size, () => nextContext()[1]! + 1);
  const time = interleavedMicroseconds({
    pass: { call: peers.readWritePass, times: 40 },
    half: { call: () => half.mark(kernel.logits, nextContext(), options), times: 20 },
    quarter: { call: () => quarter.mark(kernel.logits, nextContext(), options), times: 20 },
    copied: { call: () => half.mark(copied, nextContext(), options), times: 20 },
    permutation: { call: peers.fullPermutation, times: 2 },
  });
  const against = (name: string, value: number, other: number, what: string): BenchRow => ({
    name,
    value,
    unit,
    ratio: value / other,
    against: `${what}: ${other.toFixed(2)} microseconds`,
  });
  const pass = 'simd-read-write-pass';
  const permutation = 'full-permutation';
  return [
    against(`text/green-list/${size}`, time.half, time.pass, pass),
    against(`text/green-list/${size}`, time.half, time.permutation, permutation),
    against(`text/green-list-quarter/${size}`, time.quarter, time.pass, pass),
    against(`text/green-list-quarter/${size}`, time.quarter, time.permutation, permutation),
    against(`text/green-list-copied/${size}`, time.copied, time.pass, pass),
    against(`text/${pass}/${size}`, time.pass, time.permutation, permutation),
    against(`text/${permutation}/${size}`, time.permutation, time.pass, pass),
  ];
}

/** What choosing a token costs, from a whole vocabulary and from the 50 likeliest tokens. */
export async function benchTextDraws(): Promise<readonly BenchRow[]> {
  const logits = bellShaped(usualSize);
  const kernel = openTextKernel(usualSize);
  const gumbel = gumbelScheme(prf.uniform(), usualSize);
  const tournament = tournamentScheme(prf.leaf(30), usualSize);
  const peers = await openGreenListPeers(usualSize, () => 1);
  const time = interleavedMicroseconds({
    pass: { call: peers.readWritePass, times: 40 },
    copy: { call: () => kernel.logits.set(logits), times: 40 },
    gumbel: {
      call: () => {
        kernel.logits.set(logits);
        gumbel.mark(kernel.logits, nextContext(), options);
      },
      times: 10,
    },
    topGumbel: { call: markerOfFifty(gumbel), times: 200 },
    topTournament: { call: markerOfFifty(tournament), times: 200 },
  });
  const row = (name: string, value: number): BenchRow => ({
    name,
    value,
    unit,
    ratio: value / time.pass,
    against: `simd-read-write-pass of ${usualSize} logits: ${time.pass.toFixed(2)} microseconds`,
  });
  return [
    row('text/gumbel/top-50', time.topGumbel),
    row('text/tournament-30/top-50', time.topTournament),
    row(`text/gumbel/${usualSize}`, time.gumbel - time.copy),
  ];
}

/** Marks the 50 tokens to which an engine has cut, with logits that fall by a fifth each. */
function markerOfFifty(scheme: TextScheme): () => void {
  const tokens = Int32Array.from({ length: 50 }, (_, rank) => (rank * 7919) % usualSize);
  const clean = Float32Array.from(tokens, (_, rank) => -rank / 5);
  const candidates = { tokens, logits: new Float32Array(clean.length) };
  return () => {
    candidates.logits.set(clean);
    scheme.markCandidates(candidates, nextContext(), options);
  };
}

/** Logits spread like sums of twelve uniform numbers, with standard deviation 3. */
function bellShaped(size: number): Float32Array {
  const uniforms = prf.uniform();
  const tokens = Int32Array.from({ length: size }, (_, token) => token);
  const sums = new Float32Array(size);
  for (let term = 0; term < 12; term++) {
    const drawn = uniforms.candidates(Int32Array.of(-1, term), tokens);
    for (let token = 0; token < size; token++) sums[token]! += 3 * (drawn[token]! - 0.5);
  }
  return sums;
}
