//! TMDB's details of films, series, seasons and episodes, and the parts that can be appended to them.

use serde_json::{Value, json};

use super::language::{Language, translations};
use super::row::{Title, date, number, person_id};
use crate::demo::sample::{Movie, Series};

pub(super) fn movie(movie: &Movie, language: Language) -> Value {
    let (title, overview) = language.text(&movie.title, &movie.overview, movie.german.as_ref());
    let status = if movie.runtime == 0 { "Planned" } else { "Released" };
    json!({
        "adult": false, "backdrop_path": null, "belongs_to_collection": null, "budget": 0,
        "genres": language.some_genres("movie", &movie.genres), "homepage": "", "id": movie.id,
        "imdb_id": movie.imdb_id, "origin_country": ["US"], "original_language": movie.original_language(),
        "original_title": movie.original_title(), "overview": overview, "popularity": 10.5,
        "poster_path": Title::Movie(movie).poster(), "production_companies": companies(&movie.studios), "production_countries": [],
        "release_date": movie.released.to_string(), "revenue": 0, "runtime": movie.runtime, "softcore": false,
        "spoken_languages": [], "status": status, "tagline": "", "title": title, "video": false,
        "vote_average": number(movie.rating), "vote_count": movie.votes,
    })
}

pub(super) fn movie_part(movie: &Movie, name: &str) -> Option<Value> {
    Some(match name {
        "credits" => credits(&movie.directors, "Director", "Directing", &movie.cast, &movie.characters),
        "external_ids" => json!({
            "imdb_id": movie.imdb_id, "wikidata_id": null, "facebook_id": "", "instagram_id": null, "twitter_id": null,
        }),
        "translations" => translations("title", &movie.title, &movie.overview, movie.german.as_ref()),
        "keywords" => json!({ "keywords": [] }),
        "images" => images(Title::Movie(movie)),
        "release_dates" => json!({ "results": [{ "iso_3166_1": "US", "release_dates": [{
            "certification": "", "descriptors": [], "iso_639_1": "", "note": "",
            "release_date": format!("{}T00:00:00.000Z", movie.released), "type": 3,
        }] }] }),
        "alternative_titles" => json!({ "titles": [] }),
        "videos" | "watch/providers" => json!({ "results": [] }),
        _ => return None,
    })
}

pub(super) fn series(series: &Series, language: Language) -> Value {
    let (title, overview) = language.text(&series.title, &series.overview, series.german.as_ref());
    let last = series.last_episode();
    let creators: Vec<Value> = series
        .creators
        .iter()
        .map(|name| {
            json!({
                "id": person_id(name), "credit_id": credit_id(name), "name": name, "original_name": name,
                "gender": 0, "profile_path": null,
            })
        })
        .collect();
    json!({
        "adult": false, "backdrop_path": null, "created_by": creators, "episode_run_time": [],
        "first_air_date": date(series.first_aired()), "genres": language.some_genres("tv", &series.genres),
        "homepage": "", "id": series.id, "in_production": series.status != "Ended",
        "languages": [series.original_language()],
        "last_air_date": last.and_then(|(season, episode)| series.aired(season, episode)).map(|day| day.to_string()),
        "last_episode_to_air": last.map(|(season, number)| episode(series, season, number, language)),
        "name": title, "next_episode_to_air": null,
        "networks": [{ "id": person_id(&series.network), "logo_path": null, "name": series.network, "origin_country": "" }],
        "number_of_episodes": series.episodes(), "number_of_seasons": series.seasons.len(),
        "origin_country": ["US"], "original_language": series.original_language(),
        "original_name": series.original_title(), "overview": overview, "popularity": 10.5,
        "poster_path": Title::Series(series).poster(), "production_companies": companies(&series.studios), "production_countries": [],
        "seasons": seasons(series, language), "softcore": false, "spoken_languages": [], "status": series.status,
        "tagline": "", "type": "Scripted", "vote_average": number(series.rating), "vote_count": series.votes,
    })
}

pub(super) fn series_part(series: &Series, name: &str) -> Option<Value> {
    Some(match name {
        "credits" | "aggregate_credits" => credits(&[], "", "", &series.cast, &series.characters),
        "external_ids" => json!({
            "imdb_id": series.imdb_id, "freebase_mid": "", "freebase_id": null, "tvdb_id": series.tvdb_id,
            "tvrage_id": null, "wikidata_id": null, "facebook_id": "", "instagram_id": null, "twitter_id": null,
        }),
        "translations" => translations("name", &series.title, &series.overview, series.german.as_ref()),
        "images" => images(Title::Series(series)),
        "alternative_titles" | "content_ratings" | "keywords" | "videos" | "watch/providers" => {
            json!({ "results": [] })
        }
        _ => return None,
    })
}

/// The numbers of the seasons there are; the specials first.
fn numbers(series: &Series) -> impl Iterator<Item = u32> {
    let specials = (series.specials > 0).then_some(0);
    specials.into_iter().chain((1..).take(series.seasons.len()))
}

fn seasons(series: &Series, language: Language) -> Vec<Value> {
    let one = |season: u32| {
        let (first, count) = series.season(season)?;
        let mut out = json!({
            "air_date": first.map(|day| day.to_string()), "episode_count": count, "id": id(series, season, 0),
            "name": season_name(season, language), "overview": "", "poster_path": Title::Series(series).poster(),
            "season_number": season, "vote_average": number(series.rating),
        });
        // A season that is only announced lacks its rating.
        if let Some(out) = out.as_object_mut().filter(|_| first.is_none()) {
            out.remove("vote_average");
        }
        Some(out)
    };
    numbers(series).filter_map(one).collect()
}

pub(super) fn season(series: &Series, season: u32, language: Language) -> Option<Value> {
    let (first, count) = series.season(season)?;
    let episodes: Vec<Value> = (1..=count)
        .map(|number| {
            let mut episode = episode(series, season, number, language);
            episode["crew"] = json!([]);
            episode["guest_stars"] = json!([]);
            episode
        })
        .collect();
    let mut out = json!({
        "_id": format!("{:024x}", id(series, season, 0)), "air_date": first.map(|day| day.to_string()),
        "episodes": episodes, "name": season_name(season, language), "networks": [], "overview": "",
        "id": id(series, season, 0), "poster_path": Title::Series(series).poster(), "season_number": season,
        "vote_average": number(series.rating),
    });
    // A season that is only announced may lack the list altogether.
    if let Some(out) = out.as_object_mut().filter(|_| count == 0) {
        out.remove("episodes");
    }
    Some(out)
}

/// One episode; the caller has checked that it exists. The specials have no known length.
pub(super) fn episode(series: &Series, season: u32, number: u32, language: Language) -> Value {
    let last = series.last_episode() == Some((season, number)) && series.status == "Ended";
    let overview = match language {
        Language::English => format!("Episode {number} of season {season}."),
        Language::German | Language::Other => String::new(),
    };
    let name = match language {
        Language::German => format!("Folge {number}"),
        Language::English | Language::Other => format!("Episode {number}"),
    };
    json!({
        "air_date": series.aired(season, number).map(|day| day.to_string()), "episode_number": number,
        "episode_type": if last { "finale" } else { "standard" }, "id": id(series, season, number), "name": name,
        "overview": overview, "production_code": "", "runtime": (season > 0).then_some(series.minutes),
        "season_number": season, "show_id": series.id, "still_path": null, "vote_average": 0.0, "vote_count": 0,
    })
}

/// A number for a season (episode 0) or an episode, below 2^31 like TMDB's own.
fn id(series: &Series, season: u32, episode: u32) -> u64 {
    series.id * 1000 + u64::from(season) * 40 + u64::from(episode)
}

fn season_name(season: u32, language: Language) -> String {
    match (season, language) {
        (0, Language::German) => "Extras".into(),
        (0, _) => "Specials".into(),
        (season, Language::German) => format!("Staffel {season}"),
        (season, _) => format!("Season {season}"),
    }
}

fn credit_id(name: &str) -> String {
    format!("{:024x}", person_id(name))
}

fn companies(names: &[String]) -> Vec<Value> {
    let company = |name: &String| json!({ "id": person_id(name), "logo_path": null, "name": name, "origin_country": "US" });
    names.iter().map(company).collect()
}

fn credits(crew: &[String], job: &str, department: &str, cast: &[String], characters: &[String]) -> Value {
    let person = |name: &String| {
        json!({
            "adult": false, "gender": 0, "id": person_id(name), "name": name, "original_name": name,
            "popularity": 0.5, "profile_path": null, "credit_id": credit_id(name),
        })
    };
    let played = (0..).zip(cast).map(|(order, name): (usize, _)| {
        let mut row = person(name);
        row["known_for_department"] = "Acting".into();
        row["character"] = characters.get(order).map_or("", String::as_str).into();
        row["order"] = order.into();
        row
    });
    let worked = crew.iter().map(|name| {
        let mut row = person(name);
        row["known_for_department"] = department.into();
        row["department"] = department.into();
        row["job"] = job.into();
        row
    });
    json!({ "cast": played.collect::<Vec<_>>(), "crew": worked.collect::<Vec<_>>() })
}

fn images(title: Title<'_>) -> Value {
    let poster = title.poster().map(|path| {
        json!({
            "aspect_ratio": 0.667, "height": 1500, "iso_639_1": "en", "file_path": path, "vote_average": 0,
            "vote_count": 0, "width": 1000,
        })
    });
    json!({ "backdrops": [], "logos": [], "posters": poster.into_iter().collect::<Vec<_>>() })
}
