//! What goes into a statement: typed values, in the order of its `$n`.

use std::fmt;

use kit::Time;

/// The types of columns. Both engines store these and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// BIGINT.
    Int,
    /// TEXT.
    Text,
    /// BOOLEAN.
    Bool,
    /// BLOB or BYTEA.
    Bytes,
    /// DOUBLE PRECISION.
    Real,
}

/// One value. NULL has a type too: PostgreSQL prepares a statement once, for the
/// types of its first use.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null(Type),
    /// A whole number.
    Int(i64),
    /// Text, without the NUL character.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A floating point number.
    Real(f64),
}

/// Only the type: values may be secrets, and debug output reaches logs.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null(_) => "Null",
            Self::Int(_) => "Int",
            Self::Text(_) => "Text",
            Self::Bool(_) => "Bool",
            Self::Bytes(_) => "Bytes",
            Self::Real(_) => "Real",
        })
    }
}

/// The values of one statement, made by [`args!`](crate::args).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args(pub(crate) Vec<Value>);

impl Args {
    /// No values yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value of the next `$n`.
    pub fn push(&mut self, value: impl Into<Value>) {
        self.0.push(value.into());
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses the NUL character in text. PostgreSQL cannot store it; SQLite could,
    /// and then the engines would differ.
    pub(crate) fn refuse_nul(&self) -> kit::Result<()> {
        let holds_nul =
            |value: &Value| matches!(value, Value::Text(text) if text.as_bytes().contains(&0));
        if self.0.iter().any(holds_nul) {
            return Err(kit::Error::invalid("text must not contain the NUL character"));
        }
        Ok(())
    }
}

impl From<Vec<Value>> for Args {
    fn from(values: Vec<Value>) -> Self {
        Self(values)
    }
}

impl<V: Into<Value>> Extend<V> for Args {
    fn extend<I: IntoIterator<Item = V>>(&mut self, values: I) {
        self.0.extend(values.into_iter().map(Into::into));
    }
}

/// The values of a statement: `args![repository, &digest, None::<i64>]` for `$1`, `$2`, `$3`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        $crate::Args::from(::std::vec![$($crate::Value::from($value)),*])
    };
}

/// What can be bound, and the column type it has when it is missing.
pub trait Bind: Into<Value> {
    /// The type of a NULL in its place.
    const TYPE: Type;
}

impl<T: Bind> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null(T::TYPE), Into::into)
    }
}

macro_rules! bind {
    ($($rust:ty => $type:ident, $value:ident => $convert:expr;)*) => {$(
        impl From<$rust> for Value {
            fn from($value: $rust) -> Self {
                Self::$type($convert)
            }
        }

        impl Bind for $rust {
            const TYPE: Type = Type::$type;
        }
    )*};
}

bind! {
    i64 => Int, value => value;
    &i64 => Int, value => *value;
    i32 => Int, value => value.into();
    u32 => Int, value => value.into();
    u16 => Int, value => value.into();
    Time => Int, value => value.0;
    &Time => Int, value => value.0;
    &str => Text, value => value.to_owned();
    String => Text, value => value;
    &String => Text, value => value.clone();
    bool => Bool, value => value;
    &[u8] => Bytes, value => value.to_vec();
    Vec<u8> => Bytes, value => value;
    &Vec<u8> => Bytes, value => value.clone();
    f64 => Real, value => value;
}
