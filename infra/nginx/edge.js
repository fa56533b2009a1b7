// What nginx asks while it answers (njs): whose request it is, and how to ask the store for an object.

import grants from 'grant.js';

const crypto = require('crypto');
const fs = require('fs');

// What stands here is run for each request; the keys are `grant_keys`, which nginx reads with its configuration (key-object.ts).
const STATE = process.env.MATINEE_NGINX_STATE;
const STALE_AFTER_MS = 60000;
// As long as nginx.conf.template makes a turn.
const TURN_SECONDS = 100;
const MAX_NAME_LENGTH = 255;
const EMPTY_SHA256 = crypto.createHash('sha256').digest('hex');

// The media path of a request whose grant is good and was not called back; '' for every other.
function judgedPath(r) {
  const variables = r.variables;
  const grant = grants.readGrant(variables.request_uri.split('?')[0]);
  if (grant === null) return '';
  const offsetSeconds = Number(variables.clock_offset_seconds);
  const asker = {
    address: lastOf(variables.asker_address),
    country: variables.asker_country || undefined,
    userAgent: r.headersIn['User-Agent'],
  };
  const nowSeconds = Date.now() / 1000 + offsetSeconds;
  if (!grants.isGood(grant, grant_keys['kid ' + grant.kid], nowSeconds, asker)) return '';
  if (isRevoked(grant)) return '';
  const verdict = keepVerdict(grant, variables.turn, offsetSeconds);
  // Asked again: who removes the verdicts that a new list calls back (verdict-files.ts) has missed this one, or we see the list.
  if (verdict !== null && isRevoked(grant)) {
    fs.unlinkSync(verdict);
    return '';
  }
  return grant.path;
}

function isRevoked(grant) {
  const revocations = grants.revocationsOf(grant);
  for (let at = 0; at < revocations.length; at++) if (isThere('revoked/' + revocations[at])) return true;
  return false;
}

// Keeps that the grant is good for its prefix, whoever asks and for which object, all through this turn: the file that
// nginx looks for. Answers where it is; null where that cannot be said, or could not be written (nginx asks again).
function keepVerdict(grant, turn, offsetSeconds) {
  if (grant.limits !== '' || grant.session === 'images') return null;
  const from = Number(turn) * TURN_SECONDS + offsetSeconds;
  if (!grants.isInTime(grant, from) || !grants.isInTime(grant, from + TURN_SECONDS)) return null;
  const text = ['1', grant.kid, grant.expires, grant.session, grant.mac].join('.');
  const name = [turn, text].concat(grant.prefix.split('/').slice(1, 3)).join('~');
  if (name.length > MAX_NAME_LENGTH) return null;
  const file = STATE + '/verdicts/' + name;
  try {
    fs.writeFileSync(file, '');
  } catch (thrown) {
    return null;
  }
  return file;
}

// Of a list of addresses the last one: that is what the proxy next to us has seen itself.
function lastOf(addresses) {
  return addresses === undefined ? undefined : addresses.slice(addresses.lastIndexOf(',') + 1).trim();
}

// Not by accessSync: an exception costs this njs half a millisecond, and almost nothing is ever there.
function isThere(name) {
  return fs.statSync(STATE + '/' + name, { throwIfNoEntry: false }) !== undefined;
}

// Ready as long as the list of revocations can be had (infra/nginx/main.ts looks for it).
function ready(r) {
  const looked = fs.statSync(STATE + '/looked', { throwIfNoEntry: false });
  const isFresh = looked !== undefined && Date.now() - looked.mtimeMs < STALE_AFTER_MS;
  r.headersOut['Content-Type'] = 'application/json';
  r.headersOut['Cache-Control'] = 'no-store';
  const status = isFresh ? 'ready' : 'degraded';
  const load = Number(r.variables.connections_active) / Number(r.variables.most_connections);
  const answer = { status, dependencies: { revocations: isFresh ? 'ok' : 'stale' } };
  // An nginx without its status module does not say how many there are.
  if (load >= 0) answer.load = Math.min(1, Math.round(load * 1000) / 1000);
  r.return(200, JSON.stringify(answer));
}

// AWS Signature Version 4 for a GET without a body. A media path has nothing that would have to be encoded.
function storeDate() {
  return new Date().toISOString().replace(/[:-]|\.[0-9]{3}/g, '');
}

function storeAuthorization(r) {
  const variables = r.variables;
  const date = variables.store_date;
  const scope = date.slice(0, 8) + '/' + process.env.MATINEE_S3_REGION + '/s3/aws4_request';
  const signed = 'host;x-amz-content-sha256;x-amz-date';
  const path = '/' + process.env.MATINEE_S3_MEDIA_BUCKET + variables.media_path;
  const headers =
    'host:' + variables.store_host + '\nx-amz-content-sha256:' + EMPTY_SHA256 + '\nx-amz-date:' + date + '\n';
  const canonical = ['GET', path, '', headers, signed, EMPTY_SHA256].join('\n');
  const hashed = crypto.createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', date, scope, hashed].join('\n');
  const signature = hmac(signingKey(date.slice(0, 8)), text).digest('hex');
  const credential = process.env.MATINEE_S3_ACCESS_KEY_ID + '/' + scope;
  return 'AWS4-HMAC-SHA256 Credential=' + credential + ', SignedHeaders=' + signed + ', Signature=' + signature;
}

function signingKey(day) {
  const ofDay = hmac('AWS4' + process.env.MATINEE_S3_SECRET_ACCESS_KEY, day).digest();
  const ofRegion = hmac(ofDay, process.env.MATINEE_S3_REGION).digest();
  return hmac(hmac(ofRegion, 's3').digest(), 'aws4_request').digest();
}

function hmac(key, text) {
  return crypto.createHmac('sha256', key).update(text);
}

function emptyHash() {
  return EMPTY_SHA256;
}

export default { judgedPath, ready, storeDate, storeAuthorization, emptyHash };
