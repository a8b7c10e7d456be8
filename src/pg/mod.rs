//! What the face needs of PostgreSQL itself. All hand-written `unsafe` of the project is in this folder.

pub mod aggregate;
pub mod array;
pub mod call;
pub mod call_site;
pub mod design;
pub mod error;
pub mod expanded;
pub mod function;
pub mod interrupts;
pub mod packed;
pub mod parametric;
pub mod record;
pub mod relations;
pub mod settings;
pub mod symbols;
pub mod varlena;
