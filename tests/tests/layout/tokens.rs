//! Tokens that `syn` does not look into: what macros are called with, and what they are made of.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

/// A path among tokens.
pub(crate) struct TokenPath {
    /// `$crate` is `crate`.
    pub(crate) segments: Vec<String>,
    /// Where it begins.
    pub(crate) line: usize,
}

/// What looks like a path: `a::b`, `$crate::a::b`, and a lone name if it is that of a type. A path that goes on with a
/// variable of the macro ends before it.
pub(crate) fn paths(tokens: TokenStream) -> Vec<TokenPath> {
    let mut found = Vec::new();
    each_level(tokens, &mut |tokens| {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let start = at;
            at += 1;
            let TokenTree::Ident(first) = token else { continue };
            if !begins_path(tokens, start) {
                continue;
            }
            let mut segments = vec![name(first)];
            while let (true, Some(TokenTree::Ident(next))) = (is_separator(tokens, at), tokens.get(at + 2)) {
                segments.push(name(next));
                at += 3;
            }
            if segments.len() > 1 || segments[0].starts_with(char::is_uppercase) {
                found.push(TokenPath { segments, line: first.span().start().line });
            }
        }
    });
    found
}

/// Not a field, a method, a lifetime, a macro's variable, or the rest of a path whose beginning is none.
fn begins_path(tokens: &[TokenTree], at: usize) -> bool {
    let before = |n| at.checked_sub(n).and_then(|at| tokens.get(at));
    match before(1) {
        Some(TokenTree::Punct(punct)) => match punct.as_char() {
            '\'' => false,
            // `$crate`, but no other.
            '$' => matches!(&tokens[at], TokenTree::Ident(ident) if ident == "crate"),
            // `..` is a range.
            '.' => is_punct(before(2), '.'),
            ':' => !at.checked_sub(2).is_some_and(|at| is_separator(tokens, at)),
            _ => true,
        },
        _ => true,
    }
}

/// Whether `::` is here.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let joined = matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Joint);
    joined && is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

/// The names that stand behind `struct`, `enum`, `fn` and their like.
pub(crate) fn defined(tokens: TokenStream) -> Vec<String> {
    const KEYWORDS: [&str; 9] = ["struct", "enum", "union", "trait", "type", "fn", "const", "static", "mod"];
    let mut found = Vec::new();
    each_level(tokens, &mut |tokens| {
        for pair in tokens.windows(2) {
            if let [TokenTree::Ident(keyword), TokenTree::Ident(ident)] = pair {
                if KEYWORDS.iter().any(|known| keyword == known)
                    && !KEYWORDS.iter().any(|known| ident == known)
                {
                    found.push(name(ident));
                }
            }
        }
    });
    found
}

/// A public type that is written in tokens.
pub(crate) struct TokenType {
    /// Whether it is an enum; else it is a struct.
    pub(crate) is_enum: bool,
    /// None if a variable of the macro stands there.
    pub(crate) name: Option<String>,
    /// Where its keyword is.
    pub(crate) line: usize,
    /// Whether `#[non_exhaustive]` is before it.
    pub(crate) non_exhaustive: bool,
    /// Whether it has no variants, or no fields.
    pub(crate) is_empty: bool,
    /// Whether a field is public.
    pub(crate) has_public_field: bool,
}

/// Each `pub enum` and `pub struct`.
pub(crate) fn public_types(tokens: TokenStream) -> Vec<TokenType> {
    let mut found = Vec::new();
    each_level(tokens, &mut |tokens| {
        for (at, window) in tokens.windows(3).enumerate() {
            let [TokenTree::Ident(public), TokenTree::Ident(keyword), named] = window else { continue };
            if public != "pub" || (keyword != "enum" && keyword != "struct") {
                continue;
            }
            let name = match named {
                TokenTree::Ident(ident) => Some(name(ident)),
                _ => None,
            };
            let body = tokens[at + 2..]
                .iter()
                .take_while(|token| !is_punct(Some(token), ';'))
                .find_map(|token| group(token, Delimiter::Brace));
            found.push(TokenType {
                is_enum: keyword == "enum",
                name,
                line: keyword.span().start().line,
                non_exhaustive: attributes_before(&tokens[..at])
                    .any(|attribute| contains(attribute.stream(), "non_exhaustive")),
                is_empty: body.is_none_or(|body| body.stream().is_empty()),
                has_public_field: body.is_some_and(|body| contains(body.stream(), "pub")),
            });
        }
    });
    found
}

/// The attributes at the end of these tokens, and those that a macro repeats there: `$(#[$doc])*`.
fn attributes_before(tokens: &[TokenTree]) -> impl Iterator<Item = &Group> {
    let is_mark =
        |token: &&TokenTree| matches!(token, TokenTree::Punct(p) if matches!(p.as_char(), '#' | '$' | '*'));
    let is_group = |token: &TokenTree| matches!(token, TokenTree::Group(_));
    let run = tokens.iter().rev().take_while(move |token| is_mark(token) || is_group(token));
    run.filter_map(|token| group(token, Delimiter::Bracket))
}

/// Whether the word is anywhere in there.
pub(crate) fn contains(tokens: TokenStream, word: &str) -> bool {
    line_of(tokens, word).is_some()
}

/// The line of the first such word.
pub(crate) fn line_of(tokens: TokenStream, word: &str) -> Option<usize> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == word => Some(ident.span().start().line),
        TokenTree::Group(group) => line_of(group.stream(), word),
        _ => None,
    })
}

/// Calls `look` with the tokens outside of all brackets, and with those within each pair.
fn each_level(tokens: TokenStream, look: &mut impl FnMut(&[TokenTree])) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    look(&tokens);
    for token in tokens {
        if let TokenTree::Group(group) = token {
            each_level(group.stream(), look);
        }
    }
}

fn group(token: &TokenTree, delimiter: Delimiter) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

/// `r#type` is `type`.
pub(crate) fn name(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}
