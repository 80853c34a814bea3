use crate::description::Description;
use crate::error::AttributeError;
use crate::line::{fields, is_token};
use std::fmt;

/// An `a=group` line (RFC 5888 §5): sections that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// What the group means: `BUNDLE` (RFC 9143), `LS` (RFC 5888 §7).
    pub semantics: String,
    /// The `a=mid` of its members, in order. A rejected bundle has none.
    pub mids: Vec<String>,
}

impl Group {
    /// The sections that share one transport (RFC 9143 §7).
    #[must_use]
    pub fn bundle<I: Into<String>>(mids: impl IntoIterator<Item = I>) -> Self {
        Self {
            semantics: "BUNDLE".into(),
            mids: mids.into_iter().map(Into::into).collect(),
        }
    }

    fn parse(value: &str) -> Result<Self, AttributeError> {
        let mut fields = fields(value).map(String::from);
        let semantics = fields.next().filter(|semantics| is_token(semantics));
        let semantics = semantics.ok_or(AttributeError::malformed("group"))?;
        let mids: Vec<String> = fields.collect();
        if !mids.iter().all(|mid| is_token(mid)) {
            return Err(AttributeError::malformed("group"));
        }
        Ok(Self { semantics, mids })
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.semantics)?;
        self.mids.iter().try_for_each(|mid| write!(f, " {mid}"))
    }
}

impl Description {
    /// The groups, in order (RFC 5888 §5).
    ///
    /// # Errors
    ///
    /// If semantics or a mid is not a token.
    pub fn groups(&self) -> Result<Vec<Group>, AttributeError> {
        self.attributes("group").map(Group::parse).collect()
    }

    /// The first bundle, if there is one (RFC 9143 §7).
    ///
    /// # Errors
    ///
    /// As [`groups`](Self::groups).
    pub fn bundle(&self) -> Result<Option<Group>, AttributeError> {
        let mut groups = self.groups()?.into_iter();
        Ok(groups.find(|group| group.semantics == "BUNDLE"))
    }
}
