//! State spaces: cells whose state is linear in the previous state.

mod diagonal;
mod dual;
mod griffin;
mod hippo;
mod legendre;
mod lru;
mod selective;

pub use diagonal::*;
pub use dual::*;
pub use griffin::*;
pub use hippo::*;
pub use legendre::*;
pub use lru::*;
pub use selective::*;
