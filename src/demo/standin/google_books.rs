//! The stand-in of Google Books v1: volumes of the sample catalog, with the envelopes of Google's
//! quotas and failures, and covers. Every call needs the key and a country, as from a hosting range.

use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};

use super::GOOGLE_BOOKS_API_KEY;
use super::exchange::{Received, Reply};
use super::listener::{Answer, Fault};
use crate::demo::cover;
use crate::demo::sample::{Book, Catalog};

/// Rows of an answer without `maxResults`, and the most one may ask for.
const ROWS: (usize, usize) = (10, 40);

pub(super) struct GoogleBooks {
    catalog: Arc<Catalog>,
}

impl GoogleBooks {
    pub(super) fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog }
    }

    fn search(&self, request: &Received) -> Reply {
        let Some(query) = request.get("q").filter(|query| !query.trim().is_empty()) else {
            return refuse(400, "Missing query.", "queryRequired", Some("q"));
        };
        let number = |name: &str, default: usize| match request.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| invalid(name, text)),
        };
        let (start, rows) = match (number("startIndex", 0), number("maxResults", ROWS.0)) {
            (Ok(start), Ok(rows)) => (start, rows),
            (Err(reply), _) | (_, Err(reply)) => return reply,
        };
        if rows > ROWS.1 {
            let text = format!("Invalid value '{rows}'. Values must be within the range: [0, {}]", ROWS.1);
            return refuse(400, &text, "invalidParameter", Some("maxResults"));
        }
        let terms = terms(query);
        let mut found: Vec<&Book> = self
            .catalog
            .books
            .iter()
            .filter(|book| !terms.is_empty() && terms.iter().all(|term| term.meets(book)))
            .filter(|book| request.get("langRestrict").is_none_or(|language| book.language() == language))
            .collect();
        if request.get("orderBy") == Some("newest") {
            found.sort_by(|a, b| b.published.cmp(&a.published));
        }
        if found.is_empty() {
            return answer(&json!({ "kind": "books#volumes", "totalItems": 0 }));
        }
        // An estimate, which is another on every page.
        let total = if found.len() > rows { found.len() + 3 + start } else { found.len() };
        let page: Vec<Value> =
            found.into_iter().skip(start).take(rows).map(|book| short(book, query)).collect();
        if page.is_empty() {
            return answer(&json!({ "kind": "books#volumes", "totalItems": total }));
        }
        answer(&json!({ "kind": "books#volumes", "totalItems": total, "items": page }))
    }

    fn image(&self, request: &Received) -> Reply {
        let width = match (request.get("fife").and_then(|fife| fife.strip_prefix('w')), request.get("zoom")) {
            (Some(width), _) => width.parse().unwrap_or(128),
            (None, Some("5")) => 80,
            (None, Some("2")) => 300,
            (None, Some("3")) => 575,
            (None, Some("0" | "4" | "6")) => 800,
            _ => 128,
        };
        // Held here so that the height is that of the width which is drawn.
        let width = u32::clamp(width, 1, 700);
        let book =
            request.get("id").and_then(|id| self.catalog.book(id)).filter(|book| book.cover && !book.blank);
        // A picture that is not there is a picture all the same.
        let height = width * 3 / 2;
        let png =
            book.map_or_else(|| cover::blank(width, height), |book| cover::draw(&book.title, width, height));
        Reply::png(png, "private, max-age=3600")
    }

    fn call(&self, request: &Received, rest: &[&str]) -> Reply {
        if request.headers.contains_key("authorization") {
            let text = "Request had invalid authentication credentials.";
            return refuse(401, text, "authError", Some("Authorization"));
        }
        match request.get("key") {
            // Without a key the call falls on a shared project, which may do nothing at all.
            None => return quota("Queries per day", "defaultPerDayPerProject", "1/d/{project}", "0"),
            Some(GOOGLE_BOOKS_API_KEY) => {}
            Some(_) => {
                let text = "API key not valid. Please pass a valid API key.";
                let mut body = envelope(400, text, "badRequest", None);
                body["error"]["status"] = "INVALID_ARGUMENT".into();
                body["error"]["details"] = json!([{
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com", "metadata": { "service": "books.googleapis.com" },
                }]);
                return failure(400, &body);
            }
        }
        if request.get("country").is_none() {
            let text = "Cannot determine user location for geographically restricted operation.";
            return refuse(403, text, "unknownLocation", None);
        }
        match rest {
            [] => self.search(request),
            [id] => match self.catalog.book(id) {
                Some(book) => answer(&detail(book)),
                None => backend_failed(),
            },
            _ => refuse(404, "Not Found", "notFound", None),
        }
    }
}

impl Answer for GoogleBooks {
    fn answer(&self, request: &Received) -> Reply {
        match (&request.method, request.segments().as_slice()) {
            (&Method::GET, ["books", "v1", "volumes", rest @ ..]) => self.call(request, rest),
            (&Method::GET, ["books", "content"]) => self.image(request),
            _ => Reply::new(
                404,
                "text/html; charset=UTF-8",
                "<html><title>Error 404 (Not Found)</title></html>",
            ),
        }
    }
}

impl Fault {
    /// 429 because the day's calls are spent.
    pub fn google_day_quota() -> Self {
        quota("Queries per day", "defaultPerDayPerProject", "1/d/{project}", "1000").into()
    }

    /// 429 because the minute's calls are spent; the reason reads like the day's.
    pub fn google_minute_quota() -> Self {
        quota("Queries per minute", "defaultPerMinutePerProject", "1/min/{project}", "100").into()
    }

    /// 503 as Google Books sends it in bad times, and for ids it does not know.
    pub fn google_backend_failed() -> Self {
        backend_failed().into()
    }
}

/// One word of a query.
struct Term {
    field: Option<String>,
    text: String,
}

/// Splits at blanks outside quotes; `intitle:` and its like apply to what follows them directly.
fn terms(query: &str) -> Vec<Term> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in query.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    let term = |word: String| match word.split_once(':') {
        Some((
            field @ ("intitle" | "inauthor" | "inpublisher" | "subject" | "isbn" | "lccn" | "oclc"),
            text,
        )) => Term { field: Some(field.into()), text: text.to_lowercase() },
        _ => Term { field: None, text: word.to_lowercase() },
    };
    words.into_iter().filter(|word| !word.is_empty()).map(term).collect()
}

impl Term {
    fn meets(&self, book: &Book) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.text);
        let title = || has(&book.title) || book.subtitle.as_deref().is_some_and(has);
        let author = || book.authors.iter().any(|author| has(author));
        match self.field.as_deref() {
            None => title() || author() || self.is_isbn_of(book),
            Some("intitle") => title(),
            Some("inauthor") => author(),
            Some("inpublisher") => book.publisher.as_deref().is_some_and(has),
            Some("subject") => book.categories.iter().any(|category| has(category)),
            Some("isbn") => self.is_isbn_of(book),
            Some(_) => book.other.as_deref().is_some_and(has),
        }
    }

    fn is_isbn_of(&self, book: &Book) -> bool {
        let digits: String = self.text.chars().filter(|c| *c != '-').collect();
        [&book.isbn_13, &book.isbn_10].into_iter().flatten().any(|isbn| isbn.eq_ignore_ascii_case(&digits))
    }
}

fn answer(body: &Value) -> Reply {
    Reply::new(200, "application/json; charset=UTF-8", body.to_string())
        .with("vary", "Origin, X-Origin, Referer")
}

fn failure(status: u16, body: &Value) -> Reply {
    Reply::new(status, "application/json; charset=UTF-8", body.to_string())
}

fn refuse(status: u16, message: &str, reason: &str, location: Option<&str>) -> Reply {
    failure(status, &envelope(status, message, reason, location))
}

fn invalid(name: &str, text: &str) -> Reply {
    refuse(400, &format!("Invalid value '{text}'."), "invalidParameter", Some(name))
}

fn backend_failed() -> Reply {
    refuse(503, "Service temporarily unavailable.", "backendFailed", None)
}

fn envelope(status: u16, message: &str, reason: &str, location: Option<&str>) -> Value {
    let mut error = json!({ "message": message, "domain": "global", "reason": reason });
    if let Some(location) = location {
        error["location"] = location.into();
        error["locationType"] = if location == "Authorization" { "header" } else { "parameter" }.into();
    }
    json!({ "error": { "code": status, "message": message, "errors": [error] } })
}

fn quota(name: &str, limit: &str, unit: &str, value: &str) -> Reply {
    let message = format!(
        "Quota exceeded for quota metric 'Queries' and limit '{name}' of service 'books.googleapis.com' \
         for consumer 'project_number:100000000000'."
    );
    let mut body = envelope(429, &message, "rateLimitExceeded", None);
    body["error"]["status"] = "RESOURCE_EXHAUSTED".into();
    body["error"]["details"] = json!([
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED",
          "domain": "googleapis.com",
          "metadata": { "consumer": "projects/100000000000", "quota_metric": "books.googleapis.com/default",
                        "quota_location": "global", "quota_limit": limit, "quota_limit_value": value,
                        "quota_unit": unit, "service": "books.googleapis.com" } },
    ]);
    failure(429, &body)
}

/// What lists and details have in common.
fn volume(book: &Book) -> Value {
    let mut info = json!({
        "title": book.title, "printType": "BOOK", "maturityRating": "NOT_MATURE", "language": book.language(),
        "readingModes": { "text": false, "image": book.cover }, "allowAnonLogging": false, "pageCount": book.pages,
        "contentVersion": "0.1.0.0.preview.0",
        "infoLink": format!("http://books.google.com/books?id={}&source=gbs_api", book.id),
        "canonicalVolumeLink": format!("https://books.google.com/books/about/?id={}", book.id),
    });
    let mut set = |name: &str, value: Value| {
        if !value.is_null() && value != json!([]) {
            info[name] = value;
        }
    };
    let numbers = [("ISBN_10", &book.isbn_10), ("ISBN_13", &book.isbn_13), ("OTHER", &book.other)];
    let numbers = numbers.into_iter().filter_map(|(kind, number)| {
        number.as_ref().map(|number| json!({ "type": kind, "identifier": number }))
    });
    set("industryIdentifiers", numbers.collect());
    set("subtitle", json!(book.subtitle));
    set("authors", json!(book.authors));
    set("publisher", json!(book.publisher));
    set("publishedDate", json!(book.published));
    if let Some(rating) = book.rating {
        // A whole number is sent without a fraction.
        set("averageRating", if rating.fract() == 0.0 { json!(rating as u64) } else { json!(rating) });
        set("ratingsCount", json!(12));
    }
    json!({
        "kind": "books#volume", "id": book.id, "etag": format!("demo{}", book.pages),
        "selfLink": format!("https://www.googleapis.com/books/v1/volumes/{}", book.id), "volumeInfo": info,
        "saleInfo": { "country": "US", "saleability": "NOT_FOR_SALE", "isEbook": false },
        "accessInfo": { "country": "US", "viewability": "PARTIAL", "embeddable": true, "publicDomain": false },
    })
}

fn picture(book: &Book, zoom: u8, token: &str) -> String {
    let id = &book.id;
    format!(
        "http://books.google.com/books/content?id={id}&printsec=frontcover&img=1&zoom={zoom}&edge=curl{token}&source=gbs_api"
    )
}

/// As in a list: plain text, the categories' first parts, two pictures, and links that repeat the query.
fn short(book: &Book, query: &str) -> Value {
    let mut out = volume(book);
    let info = &mut out["volumeInfo"];
    let category = |path: &String| path.split(" / ").next().unwrap_or_default().to_owned();
    let mut categories: Vec<String> = book.categories.iter().map(category).collect();
    categories.dedup();
    if !categories.is_empty() {
        info["categories"] = json!(categories);
    }
    info["description"] = book.description.as_str().into();
    let dq = percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC);
    info["previewLink"] =
        format!("http://books.google.com/books?id={}&dq={dq}&hl=&cd=1&source=gbs_api", book.id).into();
    if book.cover {
        info["imageLinks"] =
            json!({ "smallThumbnail": picture(book, 5, ""), "thumbnail": picture(book, 1, "") });
    }
    out["searchInfo"] = json!({ "textSnippet": book.description.replace('\'', "&#39;") });
    out
}

/// As the volume itself: HTML, whole category paths, more pictures, printed pages and measures.
fn detail(book: &Book) -> Value {
    let mut out = volume(book);
    let info = &mut out["volumeInfo"];
    if !book.categories.is_empty() {
        info["categories"] = json!(book.categories);
    }
    let text = book.description.replace('&', "&amp;").replace('\'', "&#39;");
    info["description"] =
        format!("<p><b>{}</b></p><p>{text}<br></p>", book.title.replace('\'', "&#39;")).into();
    info["previewLink"] = format!("http://books.google.com/books?id={}&hl=&source=gbs_api", book.id).into();
    if book.pages > 0 {
        info["printedPageCount"] = json!(book.pages + 9);
        info["dimensions"] = json!({ "height": "21.00 cm", "width": "14.00 cm", "thickness": "2.00 cm" });
    }
    if book.cover {
        let sizes = [("smallThumbnail", 5), ("thumbnail", 1), ("small", 2), ("medium", 3), ("large", 4)];
        let links =
            sizes.map(|(name, zoom)| (name.to_owned(), json!(picture(book, zoom, "&imgtk=AFLRE7demo"))));
        info["imageLinks"] = Value::Object(links.into_iter().collect());
    }
    out
}

#[cfg(test)]
#[path = "google_books_test.rs"]
mod tests;
