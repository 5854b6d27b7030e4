// A third shim, to show how little it takes: it decodes messages and knows the derivations that Node's own library
// is enough for. The protocol is in README.md beside this file. Everything else is unsupported.

import { createCipheriv, createHash, hkdfSync } from "node:crypto";
import { createInterface } from "node:readline";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const unhex = (digits) => Buffer.from(digits, "hex");
const uint32 = (number) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(number); return bytes; };

class Broken extends Error {}
const hold = (condition, must) => { if (!condition) throw new Broken(must); };

// Section 3.1, for suite 1.
const prefix = (label) => Buffer.from(`secagg/1\x01${label}\0`, "latin1");
const hash = (label, parts) => createHash("sha256").update(prefix(label)).update(parts).digest();
const key = (label, salt, ikm, parts) =>
  Buffer.from(hkdfSync("sha256", ikm, salt, Buffer.concat([prefix(label), parts]), 32));

class Reader {
  constructor(bytes) { this.bytes = bytes; }
  take(length) {
    hold(length <= this.bytes.length, "4.1-1");
    const head = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    return head;
  }
  number(length) { return Number(BigInt("0x" + hex(this.take(length)))); }
  id() { const id = this.number(4); hold(id !== 0, "4.1-1"); return id; }
  list(size, element) { return this.elements(this.take(this.number(4)), size, element); }
  rest(size, element) { return this.elements(this.take(this.bytes.length), size, element); }
  elements(bytes, size, element) {
    hold(bytes.length % size === 0, "4.1-1");
    return Array.from({ length: bytes.length / size }, (_, i) =>
      element(new Reader(bytes.subarray(i * size, (i + 1) * size))));
  }
  end() { hold(this.bytes.length === 0, "4.1-1"); }
}

const keys = (r) => ({ encryption_key: hex(r.take(32)), mask_key: hex(r.take(32)) });
const bodies = {
  2: keys,
  3: (r) => ({ members: r.list(68, (m) => ({ id: m.id(), ...keys(m) })) }),
  4: (r) => ({ commitment: hex(r.take(32)), bundles: r.list(80, (b) => hex(b.take(80))) }),
  7: (r) => ({ survivors: hex(r.take(r.number(4))) }),
  8: (r) => ({ signature: hex(r.take(64)) }),
  5: (r) => ({ bundles: r.list(84, (b) => ({ owner: b.id(), bundle: hex(b.take(80)) })) }),
  9: (r) => ({ survivor_count: r.number(4), survivors: hex(r.take(r.number(4))) }),
  10: (r) => ({ unopened: r.list(4, (i) => i.id()), shares: r.list(32, (s) => hex(s.take(32))),
    seeds: r.rest(32, (s) => hex(s.take(32))) }),
};
const list = (parts) => { const bytes = Buffer.concat(parts); return [uint32(bytes.length), bytes]; };
const writers = {
  2: (b) => [unhex(b.encryption_key), unhex(b.mask_key)],
  3: (b) => list(b.members.flatMap((m) => [uint32(m.id), unhex(m.encryption_key), unhex(m.mask_key)])),
  4: (b) => [unhex(b.commitment), ...list(b.bundles.map(unhex))],
  5: (b) => list(b.bundles.flatMap((o) => [uint32(o.owner), unhex(o.bundle)])),
  7: (b) => list([unhex(b.survivors)]),
  8: (b) => [unhex(b.signature)],
  9: (b) => [uint32(b.survivor_count), ...list([unhex(b.survivors)])],
  10: (b) => [...list(b.unopened.map(uint32)), ...list(b.shares.map(unhex)), ...b.seeds.map(unhex)],
};

function decode({ message, config }) {
  const reader = new Reader(unhex(message));
  const type = reader.number(1);
  if (type === 1 || type === 6 || (config && config.suite !== "curious")) return null;
  hold(type in bodies, "4.1-1");
  const session = reader.take(32);
  const body = bodies[type](reader);
  reader.end();
  const again = Buffer.concat([Buffer.from([type]), session, ...writers[type](body)]);
  return { type, session: hex(session), message: hex(again), ...body };
}

// Section 3.4: AES-128 in counter mode over zeros.
class Keystream {
  constructor(seed) { this.cipher = createCipheriv("aes-128-ctr", seed.subarray(0, 16), seed.subarray(16)); }
  take(length) { return this.cipher.update(Buffer.alloc(length)); }
  below(bound) {
    for (;;) {
      const drawn = this.take(4).readUInt32LE();
      if (drawn < Math.floor(2 ** 32 / bound) * bound) return drawn % bound;
    }
  }
}

function mask(session, seed, { place, bits, length }) {
  const keystream = new Keystream(key("mask keystream", session, seed, Buffer.from([place])));
  const width = bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
  const lane = () => BigInt("0x" + hex(keystream.take(width).reverse())).toString();
  return { lanes: Array.from({ length }, lane) };
}

// Section 6.2.
function graph({ config, session, roster }) {
  if (config.graph === "complete") return { neighbours: roster.map((id) => roster.filter((other) => other !== id)) };
  const keystream = new Keystream(key("graph", unhex(session), Buffer.alloc(0), Buffer.alloc(0)));
  const m = roster.length;
  const c = roster.map((_, i) => i);
  for (let i = m - 1; i > 0; i--) {
    const j = keystream.below(i + 1);
    [c[i], c[j]] = [c[j], c[i]];
  }
  const neighbours = [];
  for (let p = 0; p < m; p++) {
    const steps = Array.from({ length: config.degree / 2 }, (_, s) => s + 1);
    const places = steps.flatMap((s) => [c[(p + s) % m], c[(p + m - s) % m]]);
    neighbours[c[p]] = places.map((place) => roster[place]).sort((a, b) => a - b);
  }
  return { neighbours };
}

// Section 7.2.
function packing({ bits, coordinates }) {
  const number = coordinates.reduceRight((all, x) => (all << BigInt(bits)) | BigInt(x), 0n);
  const length = Math.ceil((coordinates.length * bits) / 8);
  return { packed: hex(unhex(number.toString(16).padStart(2 * length, "0")).reverse()) };
}

const seedOf = (r) => key("self mask", unhex(r.session), unhex(r.self_mask_seed), uint32(r.client));
const committed = (r) => Buffer.concat([unhex(r.session), uint32(r.client), unhex(r.self_mask_seed)]);
const derivations = {
  hash: (r) => (r.suite ?? 1) === 1 && ({ hash: hex(hash(r.label, unhex(r.parts))) }),
  key: (r) => (r.suite ?? 1) === 1 && ({ key: hex(key(r.label, unhex(r.salt), unhex(r.ikm), unhex(r.parts))) }),
  keystream: (r) => ({ bytes: hex(new Keystream(unhex(r.seed)).take(r.length)) }),
  uniform: (r) => {
    const keystream = new Keystream(unhex(r.seed));
    return { numbers: r.below.map((bound) => keystream.below(Number(bound)).toString()) };
  },
  "own mask": (r) => mask(unhex(r.session), seedOf(r), r),
  commitment: (r) => ({ commitment: hex(hash("self mask commitment", committed(r))) }),
  graph,
  packing,
};

const commands = { hello: () => ({ name: "shim.mjs (Node)" }), decode, derive: (r) => derivations[r.name]?.(r) };

for await (const line of createInterface({ input: process.stdin })) {
  const r = JSON.parse(line);
  let answer;
  try {
    const ok = commands[r.command]?.(r);
    answer = ok ? { ok } : { unsupported: true };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    answer = { error: { must: error.message } };
  }
  console.log(JSON.stringify({ id: r.id, ...answer }));
}
