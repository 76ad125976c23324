import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { beaconChains } from '../../src/keys/beacon.ts';

/** A drand relay of a chain of its own, with a round a second, that signs each round when it is due. */
export async function beaconRelay() {
  const { shortSignatures } = bls12_381;
  const secret = bls12_381.utils.randomSecretKey();
  const { scheme } = beaconChains.quicknet;
  const info = {
    hash: 'be'.repeat(32),
    public_key: shortSignatures.getPublicKey(secret).toHex(),
    genesis_time: Math.floor(Date.now() / 1000) - 1000,
    period: 1,
    schemeID: scheme,
  };
  const sign = async (round: number) => {
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(round));
    const message = new Uint8Array(await crypto.subtle.digest('SHA-256', number));
    const signature = shortSignatures.sign(shortSignatures.hash(message), secret).toHex();
    return { round, signature };
  };
  const asked: number[] = [];
  const server = createServer(async (request, response) => {
    const [, round = '0'] = /\/public\/(\d+)$/.exec(request.url ?? '') ?? [];
    asked.push(Number(round));
    const due = 1000 * (info.genesis_time + (Number(round) - 1) * info.period) <= Date.now();
    response.writeHead(due ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(due ? await sign(Number(round)) : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    info,
    sign,
    /** Numbers of the rounds that were asked for. */
    asked,
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}
