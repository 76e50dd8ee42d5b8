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
    range: Option<Expr>,
    /// The most values that a list may hold.
    most: Option<Expr>,
    /// The value that stands for `None`.
    none: Option<Expr>,
    /// A word whose number is known from the rest of a config.
    or: Option<LitStr>,
    given: bool,
    required: bool,
    bookkeeping: bool,
    flatten: bool,
    skip: bool,
}

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
        let mut declared = Self {
            name: ident.to_string(),
            ident,
            ty: field.ty.clone(),
            help: help(&field.attrs),
            default: None,
            range: None,
            most: None,
            none: None,
            or: None,
            given: false,
            required: false,
            bookkeeping: false,
            flatten: false,
            skip: false,
        };
        for attribute in &field.attrs {
            if attribute.path().is_ident("config") {
                declared.default = Some(default_of(attribute)?);
            } else if attribute.path().is_ident("option") {
                let words = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
                words.iter().try_for_each(|word| declared.read_word(word))?;
            }
        }
        Ok(declared)
    }

    fn read_word(&mut self, word: &Meta) -> Result<(), Error> {
        let name = word.path().get_ident().map(Ident::to_string).unwrap_or_default();
        match (name.as_str(), word) {
            ("range", Meta::NameValue(pair)) => self.range = Some(pair.value.clone()),
            ("most", Meta::NameValue(pair)) => self.most = Some(pair.value.clone()),
            ("none", Meta::NameValue(pair)) => self.none = Some(pair.value.clone()),
            ("or", Meta::NameValue(pair)) => self.or = Some(text(&pair.value)?),
            ("name", Meta::NameValue(pair)) => self.name = text(&pair.value)?.value(),
            ("given", Meta::Path(_)) => self.given = true,
            ("required", Meta::Path(_)) => self.required = true,
            ("bookkeeping", Meta::Path(_)) => self.bookkeeping = true,
            ("flatten", Meta::Path(_)) => self.flatten = true,
            ("skip", Meta::Path(_)) => self.skip = true,
            _ => {
                let known = "range = .., most = .., none = .., or = \"..\", name = \"..\", given, required, bookkeeping, flatten, skip";
                return Err(Error::new_spanned(word, format!("not a word of option(..); known: {known}")));
            }
        }
        Ok(())
    }

    /// The statement that adds the field to the list of fields.
    fn listed(&self) -> TokenStream {
        let Self { ty, name, help, given, bookkeeping, .. } = self;
        if self.skip {
            return TokenStream::new();
        }
        if self.flatten {
            return quote! { fields.extend(<#ty as ::subquad_options::Options>::fields()); };
        }
        let range = self.range.as_ref().map(|range| quote! { .within(#range) });
        let most = self.most.as_ref().map(|most| quote! { .at_most(#most) });
        let none = self.none.as_ref().map(|none| stands_for_none(none, ty)).map(|none| quote! { .or(#none) });
        let or = self.or.as_ref().map(|word| quote! { .or(::subquad_options::Value::from(#word)) });
        let default = self.listed_default();
        quote! {
            fields.push(::subquad_options::Field {
                name: #name,
                help: #help,
                kind: <#ty as ::subquad_options::OptionType>::kind() #range #most #none #or,
                default: #default,
                given: #given,
                numeric: !#bookkeeping,
            });
        }
    }

    /// The default as a config writes it.
    fn listed_default(&self) -> TokenStream {
        let Self { ty, or, .. } = self;
        if self.given || self.required {
            return quote! { ::core::option::Option::None };
        }
        match (or, self.own_default()) {
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

    /// The default as a value of the field's type.
    fn own_default(&self) -> Option<TokenStream> {
        let ty = &self.ty;
        match &self.default {
            Some(default) => Some(quote! { #default }),
            None if self.flatten => Some(quote! { <#ty as ::core::default::Default>::default() }),
            None if is_option(ty) => Some(quote! { ::core::option::Option::None }),
            None => None,
        }
    }

    /// The expression that turns `place`, of the field's type, into a value.
    fn to_value(&self, place: &TokenStream) -> TokenStream {
        match self.none.as_ref().map(|none| stands_for_none(none, &self.ty)) {
            Some(none) => quote! {
                #place.as_ref().map_or_else(|| #none, ::subquad_options::OptionType::to_value)
            },
            None => quote! { ::subquad_options::OptionType::to_value(&#place) },
        }
    }

    /// The statement that adds the field's value to the list of values.
    fn written(&self) -> TokenStream {
        let Self { ident, name, ty, .. } = self;
        if self.skip {
            return TokenStream::new();
        }
        if self.flatten {
            return quote! { values.extend(<#ty as ::subquad_options::Options>::to_values(&self.#ident)); };
        }
        let value = self.to_value(&quote! { self.#ident });
        // `Some` of the value that stands for `None` is a mistake, and no kind allows such a word.
        let mistaken = self.none.as_ref().map(|none| stands_for_none(none, ty)).map(|none| {
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
        if !self.given {
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
        if self.flatten {
            return quote! { #ident: <#ty as ::subquad_options::Options>::from_values(values)?, };
        }
        if self.given || self.skip {
            let default =
                self.own_default().unwrap_or_else(|| quote! { ::core::default::Default::default() });
            return quote! { #ident: #default, };
        }
        let value = quote! { value };
        let own = quote! { <#ty as ::subquad_options::OptionType>::from_value(&#value)? };
        let read = match self.none.as_ref().map(|none| stands_for_none(none, ty)) {
            None => own,
            Some(none) => quote! { if #value == #none { ::core::option::Option::None } else { #own } },
        };
        quote! { #ident: { let #value = values(#name)?; #read }, }
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

fn is_option(ty: &Type) -> bool {
    inside(ty).is_some()
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
