// The CloudFront function in front of every request (viewer request, runtime cloudfront-js-2.0). main.tf puts
// infra/edge/grant.js above it, without its last line. Its key-value store holds the grant keys ("key/<kid>",
// hexadecimal) and what was called back ("keys/<kid>", "sessions/<id>", "assets/<id>", "withdrawn/<id>");
// infra/cloudfront/main.ts keeps it in step.

import cf from 'cloudfront';

const store = cf.kvs();

async function handler(event) {
  const request = event.request;
  if (request.method === 'OPTIONS') return { statusCode: 204, statusDescription: 'No Content' };
  const grant = readGrant(request.uri);
  if (grant === null || !(await mayRead(grant, askerOf(event)))) return refused();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { statusCode: 405, statusDescription: 'Method Not Allowed', headers: { allow: { value: 'GET, HEAD, OPTIONS' } } };
  }
  // What is cached, and what the bucket is asked for, is the path without its grant.
  request.uri = grant.path;
  request.querystring = {};
  return request;
}

async function mayRead(grant, asker) {
  const keyHex = await valueOf('key/' + grant.kid);
  if (!isGood(grant, keyHex, Date.now() / 1000, asker)) return false;
  const revocations = revocationsOf(grant);
  for (let at = 0; at < revocations.length; at++) {
    if ((await valueOf(revocations[at])) !== undefined) return false;
  }
  return true;
}

// get() throws for a name that is not there; but also where the store cannot be had, and then nobody may read.
async function valueOf(name) {
  if (!(await store.exists(name))) return undefined;
  return store.get(name);
}

function askerOf(event) {
  const headers = event.request.headers;
  const country = headers['cloudfront-viewer-country'];
  const agent = headers['user-agent'];
  return {
    address: event.viewer.ip,
    country: country && country.value,
    userAgent: agent && agent.value,
  };
}

function refused() {
  return {
    statusCode: 403,
    statusDescription: 'Forbidden',
    headers: { 'cache-control': { value: 'no-store' }, 'content-type': { value: 'application/problem+json' } },
    body: '{"type":"urn:matinee:problem:grant_refused","title":"Not allowed","status":403,"detail":"This address is not valid, or no longer.","code":"grant_refused"}',
  };
}
