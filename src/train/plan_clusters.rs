//! What the plan says of rows that belong together.

use ltv_engine::Result;

use crate::pg::reader::Reader;
use crate::train::plan_line::{Line, Verdict};
use crate::train::request::Request;
use crate::train::source::Source;

/// How many clusters the training rows have; none where none were asked for.
pub fn lines(reader: &Reader, source: &Source, request: &Request, coefficients: usize) -> Result<Option<Line>> {
    let (Some(cluster), Some(column)) = (&source.cluster, &request.cluster) else { return Ok(None) };
    let query = format!(
        "SELECT count(DISTINCT {cluster} COLLATE \"C\") + count(*) FILTER (WHERE {cluster} IS NULL) FROM {} WHERE {}",
        source.from,
        source.training()
    );
    let clusters = reader.select(&query, &[])?.first().get_one::<i64>()?.unwrap_or(0);
    let too_few = usize::try_from(clusters).is_ok_and(|clusters| clusters <= coefficients + 1);
    Ok(Some(if too_few {
        let detail = "too few for so many coefficients: what is said of rows keeps the model's own errors";
        Line::new("clusters", detail).of(column).n(clusters).is(Verdict::Warning)
    } else {
        Line::new("clusters", "rows of one count together in the errors; a NULL is one of its own")
            .of(column)
            .n(clusters)
    }))
}
