//! `#[derive(Options)]` for structs of options, `#[derive(Choice)]` for enums of words. `subquad-options` explains both.

mod options;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

/// Implements `subquad_options::Options`: the fields with their doc comments, defaults and ranges are the options.
#[proc_macro_derive(Options, attributes(config, option))]
pub fn derive_options(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    options::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Implements `subquad_options::OptionType` for an enum without data: its words are those that serde gives its variants.
#[proc_macro_derive(Choice)]
pub fn derive_choice(input: TokenStream) -> TokenStream {
    let DeriveInput { ident, .. } = parse_macro_input!(input as DeriveInput);
    quote! {
        impl ::subquad_options::OptionType for #ident {
            fn kind() -> ::subquad_options::Kind {
                ::subquad_options::Kind::Word(::subquad_options::words::<Self>())
            }

            fn to_value(&self) -> ::subquad_options::Value {
                ::subquad_options::Value::Text(::subquad_options::word(self).to_owned())
            }

            fn from_value(value: &::subquad_options::Value) -> ::core::option::Option<Self> {
                ::subquad_options::from_word(value.as_text()?)
            }
        }
    }
    .into()
}
