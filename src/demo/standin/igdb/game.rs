//! A game as IGDB knows it, with every reference expanded.

use serde_json::{Value, json};

use crate::demo::sample::Game;

/// An id that leads nowhere, as dangling references do.
const NOWHERE: u64 = 999_999;
/// What may be asked of a game.
pub(super) const FIELDS: [&str; 46] = [
    "age_ratings",
    "aggregated_rating",
    "aggregated_rating_count",
    "alternative_names",
    "artworks",
    "bundles",
    "category",
    "checksum",
    "collections",
    "cover",
    "created_at",
    "dlcs",
    "expansions",
    "external_games",
    "first_release_date",
    "franchises",
    "game_engines",
    "game_modes",
    "game_status",
    "game_type",
    "genres",
    "hypes",
    "id",
    "involved_companies",
    "keywords",
    "language_supports",
    "name",
    "parent_game",
    "platforms",
    "player_perspectives",
    "ports",
    "rating",
    "rating_count",
    "release_dates",
    "screenshots",
    "similar_games",
    "slug",
    "storyline",
    "summary",
    "themes",
    "total_rating",
    "total_rating_count",
    "updated_at",
    "url",
    "version_parent",
    "videos",
];
const PLATFORMS: [(u64, &str); 17] = [
    (3, "Linux"),
    (4, "Nintendo 64"),
    (6, "PC (Microsoft Windows)"),
    (9, "PlayStation 3"),
    (11, "Xbox"),
    (12, "Xbox 360"),
    (14, "Mac"),
    (34, "Android"),
    (39, "iOS"),
    (41, "Wii U"),
    (48, "PlayStation 4"),
    (49, "Xbox One"),
    (95, "PDP-1"),
    (130, "Nintendo Switch"),
    (167, "PlayStation 5"),
    (169, "Xbox Series X|S"),
    (508, "Nintendo Switch 2"),
];
const GENRES: [(u64, &str); 14] = [
    (5, "Shooter"),
    (8, "Platform"),
    (9, "Puzzle"),
    (10, "Racing"),
    (11, "Real Time Strategy (RTS)"),
    (12, "Role-playing (RPG)"),
    (13, "Simulator"),
    (15, "Strategy"),
    (16, "Turn-based strategy (TBS)"),
    (24, "Tactical"),
    (25, "Hack and slash/Beat 'em up"),
    (31, "Adventure"),
    (32, "Indie"),
    (33, "Arcade"),
];
const GAME_TYPES: [(u64, &str); 3] = [(0, "Main Game"), (2, "Expansion"), (3, "Bundle")];
/// Everything known of a game; what is not known has no key.
pub(super) fn expanded(game: &Game) -> Value {
    let mut out = json!({
        "id": game.id, "name": game.name, "slug": game.slug, "summary": game.summary,
        "url": format!("https://www.igdb.com/games/{}", game.slug),
        "created_at": 1_300_000_000, "updated_at": 1_770_000_000,
        "checksum": uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, game.slug.as_bytes()).to_string(),
        "game_type": named(&GAME_TYPES, game.game_type, "type"),
        "platforms": list(game, &PLATFORMS, &game.platforms),
    });
    let mut set = |name: &str, value: Value| {
        if !value.is_null() && value != json!([]) {
            out[name] = value;
        }
    };
    set("first_release_date", game.released_at().into());
    set("genres", list(game, &GENRES, &game.genres));
    set("themes", game.themes.iter().map(|id| json!({ "id": id })).collect());
    set("version_parent", game.version_parent.into());
    set("parent_game", game.parent_game.into());
    set("similar_games", json!(game.similar));
    set("hypes", game.hypes.into());
    set("total_rating", game.rating.into());
    set("total_rating_count", game.rating.map(|_| game.votes).into());
    set("involved_companies", companies(game));
    set("cover", game.cover.as_ref().map_or(Value::Null, |image| {
        let url = format!("//images.igdb.com/igdb/image/upload/t_thumb/{image}.jpg");
        json!({ "id": game.id + 100_000, "game": game.id, "image_id": image, "url": url, "width": 600, "height": 800 })
    }));
    out
}

fn named(table: &[(u64, &str)], id: u64, key: &str) -> Value {
    let name = table.iter().find(|(known, _)| *known == id).map(|(_, name)| *name);
    name.map_or_else(|| json!(id), |name| json!({ "id": id, key: name }))
}

fn list(game: &Game, table: &[(u64, &str)], ids: &[u64]) -> Value {
    let dangling = game.dangling.then(|| json!(NOWHERE));
    ids.iter().map(|id| named(table, *id, "name")).chain(dangling).collect()
}

fn companies(game: &Game) -> Value {
    let mut names: Vec<&String> = game.developers.iter().chain(&game.publishers).collect();
    names.dedup();
    let dangling = game.dangling.then(|| json!(NOWHERE));
    let objects = (0_u64..).zip(names).map(|(nth, name)| {
        let company = name.bytes().fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 60_000);
        json!({
            "id": game.id * 10 + nth, "company": { "id": company, "name": name },
            "developer": game.developers.contains(name), "publisher": game.publishers.contains(name),
            "porting": false, "supporting": false,
        })
    });
    dangling.into_iter().chain(objects).collect()
}
