use crate::error::{AttributeError, AttributeErrorKind};

/// One `a=` line (RFC 8866 §5.13): a flag, `a=key`, or a property, `a=key:value`.
///
/// The value is everything after the first colon, leading spaces included. Neither part may hold
/// CR, LF or NUL; such a character is left out when printed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// The name, a token; case counts.
    pub key: String,
    /// The value; `None` for a flag.
    pub value: Option<String>,
}

impl Attribute {
    /// A property: `a=key:value`.
    #[must_use]
    pub fn property(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: Some(value.into()),
        }
    }

    /// A flag: `a=key`.
    #[must_use]
    pub fn flag(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: None,
        }
    }

    /// The value, empty for a flag.
    #[must_use]
    pub fn text(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }
}

/// The values of a key, in their order.
pub(crate) fn all<'a>(attributes: &'a [Attribute], key: &str) -> impl Iterator<Item = &'a str> {
    attributes
        .iter()
        .filter(move |attribute| attribute.key == key)
        .map(Attribute::text)
}

/// The value of a key that stands at most once: a repetition is an error even if the values agree.
pub(crate) fn single<'a>(
    attributes: &'a [Attribute],
    key: &'static str,
) -> Result<Option<&'a str>, AttributeError> {
    let mut values = all(attributes, key);
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(AttributeError::new(key, AttributeErrorKind::Duplicate)),
    }
}

/// Implements the attribute verbs on a type with a field `attributes`.
macro_rules! attribute_verbs {
    ($type:ty, $place:literal) => {
        impl $type {
            #[doc = concat!("The first value of a ", $place, " attribute, empty for a flag.")]
            #[must_use]
            pub fn attribute(&self, key: &str) -> Option<&str> {
                self.attributes(key).next()
            }

            #[doc = concat!("The values of a ", $place, " attribute, in their order, empty for flags.")]
            pub fn attributes<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> {
                $crate::attribute::all(&self.attributes, key)
            }

            #[doc = concat!("Whether a ", $place, " attribute is present, with or without a value.")]
            #[must_use]
            pub fn has_attribute(&self, key: &str) -> bool {
                self.attribute(key).is_some()
            }

            /// The value of an attribute that may stand only once.
            ///
            /// # Errors
            ///
            /// [`AttributeErrorKind::Duplicate`](crate::AttributeErrorKind::Duplicate) if it stands
            /// twice, even with the same value.
            pub fn single_attribute(
                &self,
                key: &'static str,
            ) -> Result<Option<&str>, $crate::AttributeError> {
                $crate::attribute::single(&self.attributes, key)
            }

            /// Adds `a=key:value` at the end.
            pub fn push(
                &mut self,
                key: impl Into<String>,
                value: impl std::fmt::Display,
            ) -> &mut Self {
                self.attributes
                    .push($crate::Attribute::property(key, value.to_string()));
                self
            }

            /// Adds `a=key` at the end.
            pub fn push_flag(&mut self, key: impl Into<String>) -> &mut Self {
                self.attributes.push($crate::Attribute::flag(key));
                self
            }

            /// Removes every attribute of that key.
            pub fn remove(&mut self, key: &str) -> &mut Self {
                self.attributes.retain(|attribute| attribute.key != key);
                self
            }
        }
    };
}

pub(crate) use attribute_verbs;
