//! `#[derive(Options)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, GenericArgument, Ident, Lit, LitStr,
    Meta, PathArguments, Token, Type,
};

/// What the attributes of a field say.
struct Declared {
    ident: Ident,
    ty: Type,
    /// The key: the field's name, or what `name = ..` says.
    name: String,
    help: String,
    /// `#[config(default = ..)]`, as burn's derive reads it.
    default: Option<TokenStream>,
    /// The words of `#[option(..)]`, with the values of those that have one.
    words: Vec<(String, Option<Expr>)>,
}

/// The words that `#[option(..)]` may hold with a value, and without.
const WITH_VALUE: [&str; 6] = ["range", "most", "none", "or", "name", "before"];
const ALONE: [&str; 5] = ["given", "required", "bookkeeping", "flatten", "skip"];

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream, Error> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "only a struct has options"));
    };
    let fields: Vec<Declared> = match &data.fields {
        Fields::Named(fields) => fields.named.iter().map(Declared::read).collect::<Result<_, _>>()?,
        Fields::Unit => vec![],
        Fields::Unnamed(_) => return Err(Error::new_spanned(&input.ident, "options need names")),
    };
    let ident = &input.ident;
    let (listed, built, written) = (
        fields.iter().map(Declared::listed),
        fields.iter().map(Declared::built),
        fields.iter().map(Declared::written),
    );
    let given = fields.iter().map(Declared::taken);
    let default = default(ident, &fields);
    Ok(quote! {
        impl ::subquad_options::Options for #ident {
            fn fields() -> ::std::vec::Vec<::subquad_options::Field> {
                let mut fields = ::std::vec::Vec::new();
                #(#listed)*
                fields
            }

            fn from_values(
                values: &dyn ::core::ops::Fn(&str) -> ::core::option::Option<::subquad_options::Value>,
            ) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(Self { #(#built)* })
            }

            fn to_values(&self) -> ::std::vec::Vec<(&'static str, ::subquad_options::Value)> {
                let mut values = ::std::vec::Vec::new();
                #(#written)*
                values
            }

            fn give(&mut self, name: &str, value: &::subquad_options::Value) -> bool {
                let _ = (name, value);
                #(#given)*
                false
            }
        }
        #default
    })
}

/// `Default`, if every field has one.
fn default(ident: &Ident, fields: &[Declared]) -> TokenStream {
    let values: Option<Vec<TokenStream>> = fields.iter().map(Declared::own_default).collect();
    let Some(values) = values else { return TokenStream::new() };
    let names = fields.iter().map(|field| &field.ident);
    quote! {
        impl ::core::default::Default for #ident {
            fn default() -> Self {
                Self { #(#names: #values,)* }
            }
        }
    }
}

impl Declared {
    fn read(field: &Field) -> Result<Self, Error> {
        let ident = field.ident.clone().expect("the fields are named");
        let (mut default, mut words) = (None, vec![]);
        for attribute in &field.attrs {
            if attribute.path().is_ident("config") {
                default = Some(default_of(attribute)?);
            } else if attribute.path().is_ident("option") {
                let all = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
                words.extend(all.iter().map(word).collect::<Result<Vec<_>, _>>()?);
            }
        }
        let (ty, help) = (field.ty.clone(), help(&field.attrs));
        let mut declared = Self { name: ident.to_string(), ident, ty, help, default, words };
        if let Some(name) = declared.value("name") {
            declared.name = text(name)?.value();
        }
        declared.value("or").map_or(Ok(()), |or| text(or).map(drop))?;
        Ok(declared)
    }

    fn is(&self, word: &str) -> bool {
        self.words.iter().any(|(other, _)| other == word)
    }

    fn value(&self, word: &str) -> Option<&Expr> {
        self.words.iter().find(|(other, _)| other == word)?.1.as_ref()
    }

    /// The value that stands for `None`.
    fn none(&self) -> Option<TokenStream> {
        self.value("none").map(|none| stands_for_none(none, &self.ty))
    }

    /// The statement that adds the field to the list of fields.
    fn listed(&self) -> TokenStream {
        let Self { ty, name, help, .. } = self;
        let (given, bookkeeping) = (self.is("given"), self.is("bookkeeping"));
        if self.is("skip") {
            return TokenStream::new();
        }
        if self.is("flatten") {
            return quote! { fields.extend(<#ty as ::subquad_options::Options>::fields()); };
        }
        let range = self.value("range").map(|range| quote! { .within(#range) });
        let most = self.value("most").map(|most| quote! { .at_most(#most) });
        let none = self.none().map(|none| quote! { .or(#none) });
        let or = self.value("or").map(|word| quote! { .or(::subquad_options::Value::from(#word)) });
        let default = self.listed_default();
        let before = self.before();
        quote! {
            fields.push(::subquad_options::Field {
                name: #name,
                help: #help,
                kind: <#ty as ::subquad_options::OptionType>::kind() #range #most #none #or,
                default: #default,
                before: #before,
                given: #given,
                numeric: !#bookkeeping,
            });
        }
    }

    /// The default as a config writes it.
    fn listed_default(&self) -> TokenStream {
        let ty = &self.ty;
        if self.is("given") || self.is("required") {
            return quote! { ::core::option::Option::None };
        }
        match (self.value("or"), self.own_default()) {
            (Some(word), None) => {
                quote! { ::core::option::Option::Some(::subquad_options::Value::from(#word)) }
            }
            (_, None) => quote! { ::core::option::Option::None },
            (_, Some(default)) => {
                let value = self.to_value(&quote! { default });
                quote! { { let default: #ty = #default; ::core::option::Option::Some(#value) } }
            }
        }
    }

    /// What `before = ..` says, as a config writes it.
    fn before(&self) -> TokenStream {
        let ty = &self.ty;
        match self.value("before") {
            Some(before) => quote! {
                ::core::option::Option::Some(<#ty as ::subquad_options::OptionType>::to_value(&#before))
            },
            None => quote! { ::core::option::Option::None },
        }
    }

    /// The default as a value of the field's type.
    fn own_default(&self) -> Option<TokenStream> {
        let ty = &self.ty;
        match &self.default {
            Some(default) => Some(quote! { #default }),
            None if self.is("flatten") => Some(quote! { <#ty as ::core::default::Default>::default() }),
            None if inside(ty).is_some() => Some(quote! { ::core::option::Option::None }),
            None => None,
        }
    }

    /// The expression that turns `place`, of the field's type, into a value.
    fn to_value(&self, place: &TokenStream) -> TokenStream {
        match self.none() {
            Some(none) => quote! {
                #place.as_ref().map_or_else(|| #none, ::subquad_options::OptionType::to_value)
            },
            None => quote! { ::subquad_options::OptionType::to_value(&#place) },
        }
    }

    /// The statement that adds the field's value to the list of values.
    fn written(&self) -> TokenStream {
        let Self { ident, name, ty, .. } = self;
        if self.is("skip") {
            return TokenStream::new();
        }
        if self.is("flatten") {
            return quote! { values.extend(<#ty as ::subquad_options::Options>::to_values(&self.#ident)); };
        }
        let value = self.to_value(&quote! { self.#ident });
        // `Some` of the value that stands for `None` is a mistake, and no kind allows such a word.
        let mistaken = self.none().map(|none| {
            quote! {
                let value = match &self.#ident {
                    ::core::option::Option::Some(_) if value == #none => {
                        ::subquad_options::Value::Text(::std::format!("Some({value})"))
                    }
                    _ => value,
                };
            }
        });
        quote! { let value = #value; #mistaken values.push((#name, value)); }
    }

    /// The statement that sets a given value.
    fn taken(&self) -> TokenStream {
        let Self { ident, name, ty, .. } = self;
        if !self.is("given") {
            return TokenStream::new();
        }
        quote! {
            if name == #name && let ::core::option::Option::Some(given) =
                <#ty as ::subquad_options::OptionType>::from_value(value)
            {
                self.#ident = given;
                return true;
            }
        }
    }

    /// `field: value,` from the values of a config; a given field without a default starts at the type's own.
    fn built(&self) -> TokenStream {
        let Self { ident, ty, name, .. } = self;
        if self.is("flatten") {
            return quote! { #ident: <#ty as ::subquad_options::Options>::from_values(values)?, };
        }
        if self.is("given") || self.is("skip") {
            let default =
                self.own_default().unwrap_or_else(|| quote! { ::core::default::Default::default() });
            return quote! { #ident: #default, };
        }
        let value = quote! { value };
        let own = quote! { <#ty as ::subquad_options::OptionType>::from_value(&#value)? };
        let read = match self.none() {
            None => own,
            Some(none) => quote! { if #value == #none { ::core::option::Option::None } else { #own } },
        };
        quote! { #ident: { let #value = values(#name)?; #read }, }
    }
}

/// A word of `#[option(..)]`, and its value.
fn word(word: &Meta) -> Result<(String, Option<Expr>), Error> {
    let name = word.path().get_ident().map(Ident::to_string).unwrap_or_default();
    match word {
        Meta::NameValue(pair) if WITH_VALUE.contains(&&*name) => Ok((name, Some(pair.value.clone()))),
        Meta::Path(_) if ALONE.contains(&&*name) => Ok((name, None)),
        _ => {
            let known = "range = .., most = .., none = .., or = \"..\", name = \"..\", before = .., given, required, bookkeeping, flatten, skip";
            Err(Error::new_spanned(word, format!("not a word of option(..); known: {known}")))
        }
    }
}

/// The doc comment as one text.
fn help(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value).ok().map(|line| line.value()),
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).map(|line| line.trim().to_owned()).collect();
    lines.join(" ").trim().to_owned()
}

/// What `#[config(default = ..)]` says; in quotes it is an expression.
fn default_of(attribute: &Attribute) -> Result<TokenStream, Error> {
    let pair: syn::MetaNameValue = attribute.parse_args()?;
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(expression), .. }) => {
            let expression: Expr = expression.parse()?;
            Ok(quote! { #expression })
        }
        value => Ok(quote! { #value }),
    }
}

fn text(value: &Expr) -> Result<LitStr, Error> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        // A doc comment that a macro passes on is in a group of its own.
        Expr::Group(group) => text(&group.expr),
        other => Err(Error::new_spanned(other, "expected a text in quotes")),
    }
}

/// The type inside an `Option`.
fn inside(ty: &Type) -> Option<&Type> {
    let ty = if let Type::Group(group) = ty { &group.elem } else { ty };
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first()? {
            GenericArgument::Type(inside) => Some(inside),
            _ => None,
        },
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    }
}

/// The value that stands for `None`: a word, or a value of the type inside.
fn stands_for_none(none: &Expr, ty: &Type) -> TokenStream {
    match (text(none), inside(ty)) {
        (Ok(word), _) => quote! { ::subquad_options::Value::from(#word) },
        (Err(_), Some(inside)) => quote! { <#inside as ::subquad_options::OptionType>::to_value(&#none) },
        (Err(_), None) => quote! { ::core::compile_error!("only an Option has a value for none") },
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn refused(field: Field) -> String {
        expand(&parse_quote! { struct Options { #field } })
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_word_that_is_not_known_is_refused_with_those_that_are() {
        let known = "not a word of option(..); known: range = .., most = .., none = .., or = \"..\", name = \"..\", before = .., given, required, bookkeeping, flatten, skip";
        assert_eq!(refused(parse_quote! { #[option(since = 0.0)] share: f64 }), known);
        assert_eq!(refused(parse_quote! { #[option(before)] share: f64 }), known);
        assert_eq!(refused(parse_quote! { #[option(given = 1)] share: f64 }), known);
        assert_eq!(refused(parse_quote! { #[option(before = 0.0)] share: f64 }), "");
    }

    #[test]
    fn every_word_is_among_those_that_the_refusal_lists() {
        let listed = refused(parse_quote! { #[option(since)] share: f64 });
        let with_value = WITH_VALUE.iter().map(|word| format!(" {word} = "));
        let alone = ALONE.iter().map(|word| format!(" {word}"));
        assert!(with_value.chain(alone).all(|word| listed.contains(&word)), "{listed}");
    }
}
