// Grants as core/grant.ts, core/grant-limits.ts and core/revocation.ts judge them, for nginx's njs and for CloudFront
// functions: one file, in the little that both runtimes have (no modules of ours, no timingSafeEqual, no BigInt).
// test/grant-vectors.json holds it to the same answers as the others.

const crypto = require('crypto');

const GRANT = /^1\.([A-Za-z0-9_-]{1,16})\.([1-9][0-9]{9})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/;
const LIMITED =
  /^2\.([A-Za-z0-9_-]{1,16})\.([1-9][0-9]{9})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_~-]{1,200})\.([A-Za-z0-9_-]{43})$/;
const LIMITS =
  /^(?!~|$)(?:n(4[0-9a-f]{1,8}|6[0-9a-f]{1,32}))?(?:(?:^|~)c((?:[A-Z]{2}){1,60}))?(?:(?:^|~)d([A-Za-z0-9_-]{16}))?$/;
const REQUEST = /^\/v\/([^/]+)(\/.*)$/;
const CANONICAL = /^(?:\/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)+$/;
const PLACE = /^(\/([^/]+)\/[^/]+\/)[^/]/;
const MAX_PATH_LENGTH = 600;
const LEEWAY_SECONDS = 60;
const MAX_SECONDS = 12 * 3600;

// What a raw request path (without its query) says: the media path and the claims of its grant; null where no grant
// could let it be read. Whether the signature is good is another question.
function readGrant(rawPath) {
  // A regular expression's $ may stand before a last line end here; no path of ours has one.
  if (rawPath.indexOf('\n') >= 0) return null;
  const request = REQUEST.exec(rawPath);
  if (request === null) return null;
  const path = request[2];
  if (path.length > MAX_PATH_LENGTH || !CANONICAL.test(path)) return null;
  const place = PLACE.exec(path);
  if (place === null) return null;
  const plain = GRANT.exec(request[1]);
  const limited = plain === null ? LIMITED.exec(request[1]) : null;
  const said = plain || limited;
  if (said === null) return null;
  const limits = limited === null ? '' : limited[4];
  if (limits !== '' && !LIMITS.test(limits)) return null;
  const session = said[3];
  if (session === 'images' && path.indexOf(place[1] + 'images/') !== 0) return null;
  const mac = said[said.length - 1];
  return { path, prefix: place[1], asset: place[2], kid: said[1], expires: said[2], session, limits, mac };
}

// Whether the grant was signed with this key (hexadecimal; undefined for an unknown kid), is good at nowSeconds, and
// lets this asker in ({ address, country, userAgent }, undefined where unknown).
function isGood(grant, keyHex, nowSeconds, asker) {
  if (typeof keyHex !== 'string' || keyHex.length < 64) return false;
  const claims = grant.kid + '\n' + grant.prefix + '\n' + grant.expires + '\n' + grant.session;
  const text =
    grant.limits === '' ? 'matinee-grant-1\n' + claims : 'matinee-grant-2\n' + claims + '\n' + grant.limits;
  const mac = crypto.createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text).digest('base64url');
  if (!isSame(mac, grant.mac)) return false;
  return isInTime(grant, nowSeconds) && (grant.limits === '' || isWithin(grant.limits, asker));
}

// Whether the grant's own time has room for nowSeconds. Written so that a clock that is not a number refuses.
function isInTime(grant, nowSeconds) {
  const expires = Number(grant.expires);
  return nowSeconds <= expires + LEEWAY_SECONDS && expires - nowSeconds <= MAX_SECONDS + LEEWAY_SECONDS;
}

// The entries of the list of revocations that would call the grant back, as kind/name.
function revocationsOf(grant) {
  const entries = ['keys/' + grant.kid, 'sessions/' + grant.session, 'assets/' + grant.asset];
  const isViewer = grant.session !== 'images' && grant.session.indexOf('pv_') !== 0;
  return isViewer ? entries.concat(['withdrawn/' + grant.asset]) : entries;
}

function isSame(a, b) {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}

function isWithin(limits, asker) {
  const match = LIMITS.exec(limits);
  const network = match[1];
  const countries = match[2];
  const device = match[3];
  if (network !== undefined && (addressDigits(asker.address || '') || '').indexOf(network) !== 0) return false;
  if (countries !== undefined && !isListed(countries, asker.country)) return false;
  if (device === undefined) return true;
  if (typeof asker.userAgent !== 'string') return false;
  return crypto.createHash('sha256').update(asker.userAgent).digest('base64url').slice(0, 16) === device;
}

function isListed(countries, country) {
  if (typeof country !== 'string' || !/^[A-Z]{2}$/.test(country)) return false;
  for (let at = 0; at < countries.length; at += 2) if (countries.slice(at, at + 2) === country) return true;
  return false;
}

// 4 and 8, or 6 and 32 hexadecimal digits; an IPv4 address in IPv6 clothes is the IPv4 address. null: no address.
function addressDigits(address) {
  const text = address.toLowerCase();
  if (text.indexOf(':') < 0) {
    const bytes = bytesDigits(text);
    return bytes === null ? null : '4' + bytes;
  }
  const groups = groupsDigits(text);
  if (groups === null) return null;
  return groups.indexOf('00000000000000000000ffff') === 0 ? '4' + groups.slice(24) : '6' + groups;
}

function bytesDigits(text) {
  const bytes = text.split('.');
  if (bytes.length !== 4) return null;
  let digits = '';
  for (let at = 0; at < 4; at++) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(bytes[at]) || Number(bytes[at]) > 255) return null;
    digits += ('0' + Number(bytes[at]).toString(16)).slice(-2);
  }
  return digits;
}

function groupsDigits(text) {
  const dotted = text.slice(text.lastIndexOf(':') + 1);
  let plain = text;
  if (dotted.indexOf('.') >= 0) {
    const digits = bytesDigits(dotted);
    if (digits === null) return null;
    plain = text.slice(0, text.length - dotted.length) + digits.slice(0, 4) + ':' + digits.slice(4);
  }
  const halves = plain.split('::');
  if (halves.length > 2) return null;
  const before = halves[0] === '' ? [] : halves[0].split(':');
  const after = halves.length < 2 || halves[1] === '' ? [] : halves[1].split(':');
  const missing = 8 - before.length - after.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  let digits = '';
  for (let at = 0; at < 8; at++) {
    const isLeftOut = at >= before.length && at < before.length + missing;
    const group = isLeftOut ? '0' : at < before.length ? before[at] : after[at - before.length - missing];
    if (!/^[0-9a-f]{1,4}$/.test(group)) return null;
    digits += ('000' + group).slice(-4);
  }
  return digits;
}

export default { readGrant, isGood, isInTime, revocationsOf };
