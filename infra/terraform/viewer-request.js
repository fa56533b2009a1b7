// The CloudFront function in front of every request (viewer request, runtime cloudfront-js-2.0). main.tf puts
// infra/edge/grant.js above it, without its last line. Its key-value store holds the grant keys ("key/<kid>",
// hexadecimal) and what was called back ("keys/<kid>", "sessions/<id>", "assets/<id>", "withdrawn/<id>");
// infra/cloudfront/main.ts keeps it in step.

import cf from 'cloudfront';

const store = cf.kvs();
// Public base of the API, which tells players of the other edges; main.tf fills it in, '' where there are none.
const STEERING_URL = '@STEERING_URL@';

async function handler(event) {
  const request = event.request;
  if (request.method === 'OPTIONS') return { statusCode: 204, statusDescription: 'No Content' };
  const grant = readGrant(request.uri);
  if (grant === null || !(await mayRead(grant, askerOf(event)))) return refused();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { statusCode: 405, statusDescription: 'Method Not Allowed', headers: { allow: { value: 'GET, HEAD, OPTIONS' } } };
  }
  if (STEERING_URL !== '' && /^\/[^/]+\/[^/]+\/steering\.json$/.test(grant.path)) return steered(request);
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

// The question which edge to play from goes to the API, with the grant and the name by which the viewer knows us.
function steered(request) {
  const query = ['edge=' + encodeURIComponent(request.headers.host.value)];
  ['_HLS_pathway', '_HLS_throughput', '_DASH_pathway', '_DASH_throughput'].forEach((name) => {
    if (request.querystring[name]) query.push(name + '=' + request.querystring[name].value);
  });
  return {
    statusCode: 307,
    statusDescription: 'Temporary Redirect',
    headers: {
      location: { value: STEERING_URL + '/steering' + request.uri + '?' + query.join('&') },
      'access-control-allow-origin': { value: '*' },
      'cache-control': { value: 'no-store' },
    },
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
