//! As much of a browser as signing in at the provider takes.

use std::collections::BTreeMap;

use reqwest::{
    Client,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use url::Url;

/// How many redirects are followed.
const MOST: usize = 10;

/// Goes where a sign-in begins, as somebody the provider knows, and follows its redirects until
/// one leads elsewhere: back to the registry, with what it brings.
pub async fn sign_in(begin: &Url, account: &str) -> Url {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut cookies = BTreeMap::new();
    let mut url = begin.clone();
    url.query_pairs_mut().append_pair("login_hint", account);
    for _ in 0..MOST {
        let shown: Vec<String> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = client.get(url.clone()).header(COOKIE, shown.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let status = answer.status();
        let Some(next) = answer.headers().get(LOCATION) else {
            panic!("{status} from {url}: {}", answer.text().await.unwrap());
        };
        let next = url.join(next.to_str().unwrap()).unwrap();
        if next.origin() != begin.origin() {
            return next;
        }
        url = next;
    }
    panic!("too many redirects, the last to {url}")
}
