import assert from "node:assert/strict";
import { BlockList, isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isReachable, parseNetworks } from "../../core/public-address.ts";
import { checkUrl } from "../../core/public-url.ts";

const PUBLIC = `
  1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
  169.253.255.255 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255
  198.20.0.0 203.0.114.0 223.255.255.255 168.63.129.17
  2600:1f18::1 2a00:1450:4001:82a::200e 2001:4860:4860::8888 2001:200::1 2003::1 2C0F:FB50:4003::
  ::ffff:8.8.8.8 ::ffff:808:808 64:ff9b::8.8.8.8`;

const NOT_PUBLIC = `
  0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
  169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1
  192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250
  240.0.0.1 255.255.255.255 168.63.129.16
  :: ::1 ::127.0.0.1 ::7f00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:a9fe:a9fe ::ffff:0:127.0.0.1
  0:0:0:0:0:ffff:10.0.0.1 0000:0000:0000:0000:0000:0000:0000:0001
  64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::8.8.8.8 64:ff9b:1::1
  100::1 2001::1 2001:0:7f00:1::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe::
  2620:4f:8000::1 3ffe::1 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%eth0 febf::1
  fec0::1 ff02::1 ff0e::1`;

/** No address literals at all, or spellings that readers take differently. */
const NO_ADDRESS = [
  ...[
    "",
    "localhost",
    "example.com",
    "1.2.3",
    "8.8.8.08",
    "010.8.8.8",
    "0x8.8.8.8",
    "134744072",
    "8.8.8.8.",
    "8.8.8.256",
  ],
  ...[
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "2600:::1",
    ":2600::1",
    "2600::1:",
    "2600::12345",
    "[2600::1]",
  ],
  ...[
    "2600::1%lo",
    "::ffff:8.8.8",
    "2600::8.8.8.8:1",
    "1:2:3:4:5:6:7:8.8.8.8",
    "8.8.8.8/32",
    " 8.8.8.8",
    "2600::g",
  ],
];

const words = (list: string): string[] => list.trim().split(/\s+/);

test("T24: public unicast addresses may be connected to, and no others", () => {
  for (const address of words(PUBLIC)) assert.equal(isReachable(address, []), true, address);
  for (const address of [...words(NOT_PUBLIC), ...NO_ADDRESS])
    assert.equal(isReachable(address, []), false, address);
});

test("what the operator allows may be connected to as well, however it is spelt, and nothing beside it", () => {
  const allowed = parseNetworks("127.0.0.0/8, 10.1.0.0/16 fd00::/8");
  for (const address of words(
    "127.0.0.1 127.9.9.9 ::ffff:127.0.0.1 10.1.255.255 ::ffff:a01:1 fd12::1 8.8.8.8",
  ))
    assert.equal(isReachable(address, allowed), true, address);
  for (const address of words(
    "128.0.0.0.1 10.2.0.0 10.0.255.255 ::127.0.0.1 64:ff9b::127.0.0.1 fc00::1 fe80::1 ::1",
  ))
    assert.equal(isReachable(address, allowed), false, address);
});

test("a network that is not quite one is refused with its name", () => {
  for (const entry of [
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.1/8",
    "fd00::1/8",
    "fd00::/129",
    "all",
    "10.0.0/24",
    "/8",
  ])
    assert.throws(
      () => parseNetworks(`192.168.0.0/16 ${entry}`),
      new RegExp(entry.replaceAll(".", "\\.")),
      entry,
    );
  assert.deepEqual(parseNetworks(" , "), []);
});

test("an address is in a network exactly where Node's own list says so", () => {
  const ipv4 = fc.ipV4();
  const address = fc.oneof(ipv4, fc.ipV6());
  fc.assert(
    fc.property(ipv4, fc.integer({ min: 0, max: 32 }), address, (base, prefix, tried) => {
      const bits = base.split(".").reduce((number, word) => number * 256 + Number(word), 0);
      const first = prefix === 0 ? 0 : Math.floor(bits / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
      const start = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".");
      const list = new BlockList();
      list.addSubnet(start, prefix, "ipv4");
      const family = isIP(tried) === 6 ? "ipv6" : "ipv4";
      const expected = list.check(tried, family) || isReachable(tried, []);
      assert.equal(
        isReachable(tried, parseNetworks(`${start}/${prefix}`)),
        expected,
        `${tried} in ${start}/${prefix}`,
      );
    }),
  );
});

test("IPv4 addresses are judged alike in all that stands for them", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const isPublic = isReachable(address, []);
      assert.equal(isReachable(`::ffff:${address}`, []), isPublic);
      assert.equal(isReachable(`64:ff9b::${address}`, []), isPublic);
      assert.equal(isReachable(`::${address}`, []), false);
    }),
  );
});

test("no text makes the reader of addresses throw", () => {
  const pieces = fc.array(fc.constantFrom("0", "1", "ff", ":", "::", ".", "%", "x", "-1", "99999", "/"), {
    maxLength: 20,
  });
  fc.assert(fc.property(pieces, (list) => typeof isReachable(list.join(""), []) === "boolean"));
});

/** What a URL may not say, with why. */
const REFUSED: [string, string][] = [
  ...[
    "ftp://example.com/a",
    "file:///etc/passwd",
    "data:video/mp4,x",
    "gopher://example.com",
    "ws://example.com",
  ].map((url): [string, string] => [url, "scheme"]),
  ...[
    "",
    "film.mp4",
    "//example.com/a",
    "http://",
    "http://256.1.1.1/",
    "http://1.2.3.4.5/",
    "http://[::1",
    "http://[fe80::1%25eth0]/",
  ].map((url): [string, string] => [url, "not_a_url"]),
  ...[
    "http://me@example.com/",
    "https://me:secret@example.com/",
    "http://example.com:80@127.0.0.1/",
    "http://a\\@b:c@d/",
  ].map((url): [string, string] => [url, url.includes("\\") ? "ok" : "credentials"]),
  ...["http://example.com:22/", "https://example.com:25/", "http://example.com:0/"].map(
    (url): [string, string] => [url, "port"],
  ),
  ...[
    ...[
      "http://127.0.0.1/",
      "http://127.1/",
      "http://127.0.1/",
      "http://2130706433/",
      "http://0x7f000001/",
      "http://0x7f.1/",
    ],
    ...[
      "http://017700000001/",
      "http://0177.0.0.1/",
      "http://127.0.0.1./",
      "http://0/",
      "http://0.0.0.0:8080/",
      "http:127.0.0.1/",
    ],
    ...[
      "http://①②⑦.⓪.⓪.①/",
      "http://127。0。0。1/",
      "http://%31%32%37.0.0.1/",
      "http:\\\\127.0.0.1\\",
      "HTTP://127.0.0.1:443/",
    ],
    ...[
      "http://[::1]/",
      "http://[::]:8000/",
      "http://[::ffff:127.0.0.1]/",
      "http://[::127.0.0.1]/",
      "http://[0:0:0:0:0:ffff:7f00:1]/",
    ],
    ...[
      "http://169.254.169.254/latest/meta-data/",
      "http://2852039166/",
      "http://[fd00:ec2::254]/",
      "http://[64:ff9b::a9fe:a9fe]/",
    ],
    ...[
      "http://10.0.0.1/",
      "http://192.168.1.1/",
      "http://172.16.0.1/",
      "http://100.64.0.1/",
      "http://224.0.0.1/",
      "http://255.255.255.255/",
    ],
  ].map((url): [string, string] => [url, "address"]),
];

test("T24: a URL is refused for what it says itself, before anything is looked up", () => {
  for (const [url, why] of REFUSED) {
    const looked = checkUrl(url, []);
    assert.equal("fault" in looked ? looked.fault : "ok", why, url);
  }
  for (const url of words(
    "https://example.com/a?b https://example.com:8443/ http://8.8.8.8/ http://[2600::1]/ http://a/",
  )) {
    assert.ok("url" in checkUrl(url, []), url);
  }
  assert.ok("url" in checkUrl("http://2130706433:9000/film.mp4", parseNetworks("127.0.0.0/8")));
});
