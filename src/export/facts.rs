//! What a person is to be told with a copy of their data (GDPR, Article 15). It states what the code does
//! and what the settings say, and nothing that only the operator can know.

use super::LINK_MINUTES;
use crate::archive::format::Facts;
use crate::config::{Operator, Retention};

/// The facts of a service with these settings.
pub fn facts(operator: &Operator, retention: &Retention) -> Facts {
    Facts {
        controller: operator.controller.clone(),
        contact: operator.contact.clone(),
        purposes: texts(&[
            "To keep your library of movies, series, games and books, with what you say of them, and to show \
             it to you.",
            "To keep your devices the same, also when they were offline.",
            "To keep to your decisions about the policies of this service, and to be able to show them.",
        ]),
        categories: texts(&[
            "What you say of titles: status, rating, favourite, progress, dates, reviews, comments, history, \
             episodes, lists with their notes.",
            "Your settings: language, time zone, and whether progress changes a status.",
            "Of each of your devices: its model, the versions of its system and of the app, an id that it \
             chose, and, if it allows notifications, its push token.",
            "Your decisions about policies: which version, what you decided, and when.",
            "What the service notes to do its work: which of your things were deleted, what became of the \
             changes your devices sent, the copies you asked for and the archives you brought back.",
            "Your name, user name and e-mail addresses are kept by Clerk. This service asks Clerk for them \
             when you want to see them, as for this copy, and keeps none of it.",
        ]),
        recipients: texts(&[
            "Clerk, which signs you in. It has your name, your e-mail addresses and how you sign in from your \
             app and from you. This service tells it that you correct your name or delete your account, and \
             nothing of your library.",
            "Whoever provides the machines, the database and the backups that this service runs on, on behalf \
             of its operator.",
            "TMDB, IGDB and Google Books get nothing personal: a search text or the id of a title, a page and \
             a language, from the address of this service. Covers come through this service too.",
        ]),
        origins: texts(&[
            "You, through the app.",
            "Your devices, as to what they are and their push tokens.",
            "Clerk, as to your name, user name and e-mail addresses.",
            "Titles, dates and the like that stand beside your entries are from TMDB, IGDB and Google Books \
             and are the same for everybody.",
        ]),
        retention: retention_periods(retention),
        rights: texts(&[
            "To see what is held of you and to have a copy: this is one. To take it elsewhere: it is in \
             formats that other services read.",
            "To have it corrected: you can change everything yourself, your name included.",
            "To have it erased: you can delete any part of it, and your account with all of it, in the app.",
            "To have its use restricted and to object to it, and to withdraw what you accepted: the last in \
             the app, the others by asking whoever runs this service.",
            "To complain to a data protection authority, where you live, where you work, or where you think \
             that the law was broken.",
        ]),
        automated_decisions: "None. Nobody is profiled, and nothing that matters to you is decided by a \
                              machine alone."
            .to_owned(),
        transfers: "Clerk is a company in the United States: what you give it to sign in goes there. This \
                    service sends nothing else of yours to another country; in which one its machines and \
                    backups stand, its operator can tell you."
            .to_owned(),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn retention_periods(retention: &Retention) -> Vec<String> {
    let Retention { tombstone_days, grace_days, backup_days, receipt_days } = *retention;
    let deletion = match grace_days {
        0 => "Your account: until you delete it, which takes effect at once.".to_owned(),
        days => format!(
            "Your account: until you delete it, which takes effect after {}, until when you can take it back, \
             or at once if you say so.",
            self::days(days)
        ),
    };
    vec![
        "Everything you write: until you delete it, or your account.".to_owned(),
        format!(
            "Of what you delete, its kind, its key and a number, so that your other devices hear of it: {}. \
             What became of the changes your devices sent, and the keys of requests that must not be done \
             twice: as long.",
            days(tombstone_days)
        ),
        deletion,
        format!(
            "Of an erased account, a mark that says that there was one, without anything of its content: until \
             Clerk has confirmed, and then {}, as long as backups are kept; so long as Clerk has not confirmed, \
             also your id there, to ask again. The receipt, which does not say whose it is: {}.",
            days(backup_days),
            days(receipt_days)
        ),
        format!(
            "A copy like this one is made while you download it and kept nowhere; its address works for \
             {LINK_MINUTES} minutes. An archive that you bring back is kept until it has been taken in."
        ),
        "Logs hold nothing of yours: no name, address, token, search or review.".to_owned(),
    ]
}

fn days(days: u32) -> String {
    match days {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}
