//! What the face needs of PostgreSQL itself. All hand-written `unsafe` of the project is in this folder.

pub mod aggregate;
pub mod array;
pub mod call;
pub mod call_site;
pub mod cox;
pub mod design;
mod discrete;
pub mod error;
pub mod estimates;
pub mod expanded;
pub mod fine_gray;
pub mod function;
pub mod grouped;
pub mod incidence;
pub mod inference;
pub mod interrupts;
pub mod intervals;
pub mod packed;
pub mod parametric;
mod portfolio;
pub mod record;
pub mod relations;
pub mod settings;
pub mod symbols;
mod value;
pub mod varlena;
