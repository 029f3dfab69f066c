// An OpenID provider for tests: oidc-provider with accounts of its own, which signs in
// whoever the request hints at, so that no browser is needed; a browser is shown a form.
//
//   node provider.mjs PACKAGES PORT KEYS [REGISTRY]
//
// PACKAGES is the folder that npm installed to, KEYS a file with a set of private keys, REGISTRY
// the address that browsers come from and go back to. It prints "ready" when it listens. Killed
// and started again with other keys it has rotated.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [packages, port, keys, registry] = process.argv.slice(2);
const require = createRequire(`${packages}/node_modules/`);
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const issuer = `http://127.0.0.1:${port}`;

const accounts = {
  alice: { name: 'Alice', preferred_username: 'alice', email: 'alice@example.org', groups: ['dev', 'ops', 'admins'] },
  bob: { name: 'Bob', preferred_username: 'bob', email: 'bob@example.org', groups: 'dev' },
  carol: { name: 'Carol Space', preferred_username: 'carol', groups: [] },
};

const registries = ['http://registry.example.org', 'https://registry.example.org', ...(registry ? [registry] : [])];

const client = (id, more) => ({
  client_id: id,
  client_secret: 'client-secret-0123456789',
  id_token_signed_response_alg: 'ES256',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: registries.map((one) => `${one}/c/oidc/callback`),
  post_logout_redirect_uris: registries.map((one) => `${one}/`),
  ...more,
});

const provider = new Provider(issuer, {
  clients: [
    client('haven'),
    client('haven-post', { token_endpoint_auth_method: 'client_secret_post' }),
    client('another'),
  ],
  jwks: JSON.parse(readFileSync(keys, 'utf8')),
  cookies: { keys: ['cookies-of-a-test'] },
  claims: { openid: ['sub'], email: ['email'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  scopes: ['openid', 'offline_access'],
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  issueRefreshToken: async (_ctx, of, code) => of.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  ttl: { Interaction: 600, Session: 600, Grant: 600, IdToken: 600, AccessToken: 600, RefreshToken: 600 },
  findAccount: (_ctx, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
});

/** Who somebody says they are in the form. */
async function entered(ctx) {
  if (ctx.method !== 'POST') return undefined;
  let body = '';
  for await (const chunk of ctx.req) body += chunk;
  return new URLSearchParams(body).get('account') ?? '';
}

function form(ctx) {
  ctx.type = 'html';
  ctx.body = `<!doctype html><html lang="en"><title>Provider</title><main><h1>Provider</h1>
    <form method="post"><label>Account <input name="account"></label><button>Continue</button></form></main>`;
}

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { params, prompt } = await provider.interactionDetails(ctx.req, ctx.res);
  if (prompt.name === 'login') {
    const name = params.login_hint ?? (await entered(ctx));
    if (name === undefined) return form(ctx);
    const result = accounts[name] ? { login: { accountId: name } } : { error: 'access_denied' };
    return provider.interactionFinished(ctx.req, ctx.res, result);
  }
  const session = (await provider.interactionDetails(ctx.req, ctx.res)).session;
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const grantId = await grant.save();
  return provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId } }, { mergeWithLastSubmission: true });
});

provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
