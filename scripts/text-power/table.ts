import type { BiasedRow, DraftRow } from './api.ts';
import type { AttributionPowerRow } from './attribution.ts';
import type { CleanRow, StudentRow } from './students.ts';
import type { TextRow } from './texts.ts';

const nameWidth = 18;
const anytimeAllowance = 1.3;

/** Headers and lines of the power script's tables. */
export const textTable = {
  texts: {
    header: cells('tokens to find it', [
      ['p<1e-6 50%', 11],
      ['80%', 5],
      ['bar', 5],
      ['E>=1e6 50%', 11],
      ['80%', 5],
      ['bar', 5],
      ['entropy', 8],
      ['surprise', 9],
      ['variation', 10],
    ]),
    line: (row: TextRow) =>
      cells(row.name, [
        [tokens(row.fixed50), 11],
        [tokens(row.fixed80), 5],
        [tokens(row.bar), 5],
        [tokens(row.anytime50), 11],
        [tokens(row.anytime80), 5],
        [tokens(row.bar === null ? null : Math.floor(row.bar * anytimeAllowance)), 5],
        [row.entropy.toFixed(2), 8],
        [row.surprise.toFixed(2), 9],
        [row.variation.toFixed(3), 10],
      ]),
  },
  attribution: {
    header: cells('naming a tenant', [
      ['tokens', 14],
      ['leads', 7],
      ['screened', 10],
      ['accused', 9],
      ['log10 p', 9],
    ]),
    line: (row: AttributionPowerRow) =>
      cells(row.name, [
        [String(row.tokens), 32 - Math.max(nameWidth, row.name.length)],
        [row.first.toFixed(2), 7],
        [row.screened.toFixed(2), 10],
        [row.accused === null ? '-' : row.accused.toFixed(2), 9],
        [row.medianLog10P.toFixed(1), 9],
      ]),
  },
  students: {
    header: cells('students', [
      ['learned', 8],
      ['own', 6],
      ['log10 p', 9],
      ['largest', 9],
      ['log10 E', 9],
    ]),
    line: (row: StudentRow) =>
      cells(row.name, [
        [String(row.trainedOn), 8],
        [String(row.ownTokens), 6],
        [row.medianLog10P.toFixed(1), 9],
        [row.largestLog10P.toFixed(1), 9],
        [row.medianLog10E.toFixed(1), 9],
      ]),
  },
  clean: {
    header: cells('clean students', [
      ['number', 7],
      ['p<=.01', 8],
      ['KS p', 7],
      ['log10 E', 9],
    ]),
    line: (row: CleanRow) =>
      cells(row.name, [
        [String(row.students), 7],
        [row.rate.toFixed(3), 8],
        [row.superUniformP.toFixed(3), 7],
        [row.largestLog10E.toFixed(2), 9],
      ]),
  },
  biased: {
    header: cells('limit', [
      ['tokens', 7],
      ['bias', 7],
      ['bans/1000', 10],
      ['log10 E', 8],
      ['variation', 10],
      ['bound', 7],
      ['student', 8],
    ]),
    line: (row: BiasedRow) =>
      cells(row.name, [
        [String(row.tokens), 7],
        [row.bias.toFixed(3), 7],
        [row.bans.toFixed(1), 10],
        [row.log10E.toFixed(1), 8],
        [row.variation.toFixed(3), 10],
        [row.variationBound.toFixed(3), 7],
        [row.student === null ? '-' : row.student.toFixed(1), 8],
      ]),
  },
  drafts: {
    header: cells('choice by', [
      ['drafts', 7],
      ['bans/answer', 12],
      ['student', 8],
    ]),
    line: (row: DraftRow) =>
      cells(row.name, [
        [String(row.drafts), 7],
        [row.bansPerAnswer.toFixed(3), 12],
        [row.student.toFixed(1), 8],
      ]),
  },
};

function tokens(count: number | null): string {
  return count === null ? '-' : String(count);
}

function cells(name: string, columns: readonly (readonly [text: string, width: number])[]): string {
  return name.padEnd(nameWidth) + columns.map(([text, width]) => text.padStart(width)).join('');
}
