//! What attributes say of an item.

use syn::{Attribute, ImplItem, Item, Meta, Path, Token, TraitItem, punctuated::Punctuated};

use crate::tokens::name;

/// Whether the item is compiled for tests only: `cfg(test)`, `cfg(all(test, …))`, but not `cfg(any(test, …))`.
pub(crate) fn only_for_tests(attributes: &[Attribute]) -> bool {
    let mut conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.any(|attribute| {
        attribute.parse_args().is_ok_and(|condition| without_tests(&condition) == Some(false))
    })
}

/// What a condition is where `test` is not set; none if it depends on something else.
fn without_tests(condition: &Meta) -> Option<bool> {
    let Meta::List(list) = condition else { return condition.path().is_ident("test").then_some(false) };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    let mut parts = parts.iter().map(without_tests);
    match name(&list.path.segments.first()?.ident).as_str() {
        "all" if parts.any(|part| part == Some(false)) => Some(false),
        "any" if parts.all(|part| part == Some(false)) => Some(false),
        "not" => parts.next()?.map(|part| !part),
        _ => None,
    }
}

/// Whether one of the attributes is this word.
pub(crate) fn has(attributes: &[Attribute], word: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(word))
}

/// The file of `#[path = "file"]`.
pub(crate) fn path(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let Meta::NameValue(value) = &attribute.meta else { return None };
    match &value.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(file), .. }) => Some(file.value()),
        _ => None,
    }
}

/// The paths of `#![deny(…)]`, `#![forbid(…)]`, as they are written.
pub(crate) fn lints(attributes: &[Attribute], level: &str) -> Vec<String> {
    let of_level = attributes.iter().filter(|attribute| attribute.path().is_ident(level));
    let lists = of_level.filter_map(|attribute| {
        attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok()
    });
    let written =
        |path: Path| path.segments.iter().map(|part| name(&part.ident)).collect::<Vec<_>>().join("::");
    lists.flatten().map(written).collect()
}

/// An item's attributes.
pub(crate) fn of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Those of an item of an `impl`.
pub(crate) fn of_impl_item(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// Those of an item of a trait.
pub(crate) fn of_trait_item(item: &TraitItem) -> &[Attribute] {
    match item {
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        TraitItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}
