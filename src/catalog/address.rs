//! Reads the address of a page about a title. Strict about whose page it is; of what it finds only an
//! id is kept, and the address itself is neither fetched nor passed on.

use reqwest::Url;

use super::code::{Code, ImdbId, Slug};
use super::media_id::{Kind, MediaId};

/// Longer addresses are not read.
const MAX_LEN: usize = 2000;

/// The ends of the names under which Google is found.
const GOOGLE: &str = "com ad ae com.af com.ag al am co.ao com.ar as at com.au az ba com.bd be bf bg com.bh bi bj \
    com.bn com.bo com.br bs bt co.bw by com.bz ca cat cd cf cg ch ci co.ck cl cm cn com.co co.cr com.cu cv com.cy \
    cz de dj dk dm com.do dz com.ec ee com.eg es com.et fi com.fj fm fr ga ge gg com.gh com.gi gl gm gr com.gt gy \
    com.hk hn hr ht hu co.id ie co.il im co.in iq is it je com.jm jo co.jp co.ke kg com.kh ki co.kr com.kw kz la \
    com.lb li lk co.ls lt lu lv com.ly co.ma md me mg mk ml com.mm mn com.mt mu mv mw com.mx com.my co.mz com.na \
    com.ng com.ni ne nl no com.np nr nu co.nz com.om com.pa com.pe com.pg com.ph com.pk pl pn com.pr ps pt com.py \
    com.qa ro rs ru rw com.sa com.sb sc se com.sg sh si sk com.sl sm sn so sr st com.sv td tg co.th com.tj tl tm \
    tn to com.tr tt com.tw co.tz com.ua co.ug co.uk com.uy co.uz com.vc co.ve co.vi com.vn vu ws co.za co.zm co.zw";

/// What the page at this address is about; `None` if it is not one that we know.
pub(super) fn read(text: &str) -> Option<Code> {
    let url = parse(text.trim())?;
    let path: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    match url.host_str()? {
        "themoviedb.org" | "www.themoviedb.org" => tmdb(&path),
        "igdb.com" | "www.igdb.com" => match path.as_slice() {
            ["games", slug, ..] => Slug::parse(slug).map(Code::Slug),
            _ => None,
        },
        "imdb.com" | "www.imdb.com" | "m.imdb.com" => match after_language(&path) {
            ["title", id, ..] => ImdbId::parse(id).map(Code::Imdb),
            _ => None,
        },
        host => {
            let hosts = ["books.google.", "www.google.", "google."];
            let (host, suffix) = hosts.iter().find_map(|start| Some((*start, host.strip_prefix(start)?)))?;
            GOOGLE.split_whitespace().find(|known| *known == suffix)?;
            google_books(host == "books.google.", &path, &url)
        }
    }
}

/// An address of the web, with or without its scheme, with nobody's name in it and no port of its own.
fn parse(text: &str) -> Option<Url> {
    if text.len() > MAX_LEN || text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
        return None;
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let is_web = ["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())?;
    if !is_web || authority.contains('@') {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    url.port().is_none().then_some(url)
}

/// `/movie/603-the-matrix`, `/de/tv/1399/season/1`: the id may have the title behind it, and the page
/// pages of its own below.
fn tmdb(path: &[&str]) -> Option<Code> {
    let (kind, page) = match after_language(path) {
        ["movie", page, ..] => (Kind::Movie, page),
        ["tv", page, ..] => (Kind::Tv, page),
        _ => return None,
    };
    let id = page.split('-').next()?;
    MediaId::new(kind, id).ok().map(Code::Title)
}

/// `books?id=…`, `books/about/Title?id=…` and `books/edition/Title/…`.
fn google_books(own_host: bool, path: &[&str], url: &Url) -> Option<Code> {
    let id = match path {
        ["books", "edition", _, id] => (*id).to_owned(),
        ["books"] | ["books", "about"] | ["books", "about", _] => only_id(url)?,
        // The host for books alone needs no folder.
        [] if own_host => only_id(url)?,
        _ => return None,
    };
    MediaId::new(Kind::Book, &id).ok().map(Code::Title)
}

/// The parameter `id`, if it is there once: two would leave open which is meant.
fn only_id(url: &Url) -> Option<String> {
    let mut ids = url.query_pairs().filter(|(name, _)| name == "id").map(|(_, id)| id.into_owned());
    ids.next().filter(|_| ids.next().is_none())
}

/// The path without the language that it may begin with, such as `de` or `pt-BR`.
fn after_language<'a>(path: &'a [&'a str]) -> &'a [&'a str] {
    match path {
        [first, rest @ ..] if is_language(first) => rest,
        _ => path,
    }
}

fn is_language(text: &str) -> bool {
    let (language, region) = text.split_once('-').map_or((text, None), |(l, r)| (l, Some(r)));
    let two_letters = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    // `tv` is a language of nobody and the kind of a title.
    two_letters(language) && region.is_none_or(two_letters) && text != "tv"
}

#[cfg(test)]
#[path = "address_test.rs"]
mod tests;
