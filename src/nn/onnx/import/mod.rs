//! x
/// x
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {}
/// x
pub fn import(_bytes: &[u8], _options: &ImportOptions) -> crate::Result<crate::nn::Net> { Err(crate::Error::input("x")) }
