use super::DiskSpace;

#[test]
fn check_refuses_below_the_floor_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    assert!(DiskSpace::new(path.clone(), 1).check().is_ok());
    assert!(DiskSpace::new(path.clone(), u64::MAX - 1).check().is_err());
    assert!(DiskSpace::new(path, 0).check().is_ok(), "no floor");
    assert!(DiskSpace::new("/no/such/folder".into(), u64::MAX).check().is_ok(), "nothing is known");
}
