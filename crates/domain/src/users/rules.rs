//! What may be said of a user: Harbor's rules.

use kit::{Error, Result, Subject};

/// The longest of each text about a user, in characters.
pub(super) const LONGEST: usize = 255;

/// What a name must not contain: Harbor's list, and the colon, which ends the name in
/// Basic authentication.
const ILLEGAL: [char; 8] = [',', '"', '\'', '~', '#', '%', '$', ':'];

/// Whether a user may have a name.
///
/// # Errors
/// Invalid.
pub(super) fn check_name(name: &str) -> Result<()> {
    if !(1..=LONGEST).contains(&name.chars().count()) {
        return invalid("the user name must have 1 to 255 characters");
    }
    if name.contains(|c: char| ILLEGAL.contains(&c) || is_hidden(c)) {
        return invalid("the user name contains illegal characters");
    }
    if name.trim() != name {
        return invalid("the user name must not begin or end with a space");
    }
    Ok(())
}

/// Whether a user may have an e-mail address.
///
/// # Errors
/// Invalid.
pub(super) fn check_email(email: &str) -> Result<()> {
    if is_email(email) { Ok(()) } else { invalid("the e-mail address is not valid") }
}

/// Whether a user may have a name in real life and a comment.
///
/// # Errors
/// Invalid.
pub(super) fn check_texts(realname: &str, comment: &str) -> Result<()> {
    if realname.chars().count() > LONGEST || comment.chars().count() > LONGEST {
        return invalid("the real name and the comment have at most 255 characters each");
    }
    if realname.contains(is_hidden) || comment.contains('\0') {
        return invalid("the real name or the comment contains illegal characters");
    }
    Ok(())
}

/// Whether a text has the form of an e-mail address: something, an at sign, and a
/// domain. Whether mail arrives there, only mail can tell.
pub(super) fn is_email(text: &str) -> bool {
    let fine = |c: char| !c.is_whitespace() && !is_hidden(c) && !"\"(),:;<>[\\]@".contains(c);
    text.len() <= LONGEST
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.chars().all(fine)
                && domain.split('.').all(|label| !label.is_empty() && label.chars().all(fine))
        })
}

/// Whether a character is not seen, or changes how others are seen: two names must not look
/// alike by it. Beside controls these are Unicode's marks of direction, joiners, spaces
/// without width, tags and selectors.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}')
}

fn invalid(message: &'static str) -> Result<()> {
    Err(Error::invalid(message).about(Subject::User))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_form_of_an_address() {
        for good in ["a@b", "first.last+tag@mail.example.org", "o'hara@example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b..c", "a@b\n", "a,b@c", "a\u{200b}@b"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn names_are_what_they_look_like() {
        for good in ["a", "Ä b", "名前", "a.b@c", "x'y".replace('\'', "_").as_str()] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["admin\u{200b}", "nim\u{202e}da", "a\u{ad}b", "\u{feff}a", "a\u{2028}b", "a\tb"]
        {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
