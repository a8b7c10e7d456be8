//! The one error type of the engine, and the callback by which a long computation asks whether to go on.

/// What can go wrong. The face gives each variant its SQLSTATE; the text says what was found, `hint` how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument outside its domain (SQLSTATE 22023).
    #[error("{message}")]
    Invalid { message: String, hint: String },
    /// A stored or received value that is not one of ours (SQLSTATE 22P02 for text, 22P03 for bytes).
    #[error("{0}")]
    Malformed(String),
    /// A number that left the range of its type (SQLSTATE 22003).
    #[error("{0}")]
    OutOfRange(String),
    /// More memory than the caller allows (SQLSTATE 53200).
    #[error("{what} needs more than the {limit_mb} MB that ltv.max_memory_mb allows")]
    Memory { what: String, limit_mb: usize },
    /// More memory than the system gives (SQLSTATE 53200).
    #[error("{0}")]
    NoMemory(String),
    /// The caller asked to stop. The face turns this into PostgreSQL's own cancellation.
    #[error("canceled")]
    Canceled,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An argument outside its domain, with the way to mend it.
    pub fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Error::Invalid { message: message.into(), hint: hint.into() }
    }

    pub fn malformed(message: impl Into<String>) -> Self {
        Error::Malformed(message.into())
    }
}

/// Asked now and then by loops that may take long; an `Err` ends the computation at once.
pub type Interrupt<'a> = &'a mut dyn FnMut() -> Result<()>;
