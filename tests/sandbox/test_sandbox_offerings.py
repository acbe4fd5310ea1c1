"""moto's tables of what EC2 offers where: read one by one, and the same as all at once."""

import pytest
from botocore.exceptions import ClientError

AMI = "ami-12c6146b"


def test_what_is_on_offer_is_read_for_the_region_that_asks(world):
    ec2 = world.client("ec2")
    small = [{"Name": "instance-type", "Values": ["t3.small"]}]
    by_region = ec2.describe_instance_type_offerings(Filters=small)["InstanceTypeOfferings"]
    assert by_region == [{"InstanceType": "t3.small", "LocationType": "region", "Location": "us-east-1"}]
    zones = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=small)
    assert {one["LocationType"] for one in zones["InstanceTypeOfferings"]} == {"availability-zone"}
    assert "us-east-1a" in {one["Location"] for one in zones["InstanceTypeOfferings"]}
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

    assert set(INSTANCE_TYPE_OFFERINGS) == {"availability-zone", "availability-zone-id", "region"}
    assert set(INSTANCE_TYPE_OFFERINGS["region"]) == {"us-east-1"}
    assert INSTANCE_TYPE_OFFERINGS["region"].get("nowhere-1", "nothing") == "nothing"
    with pytest.raises(KeyError):
        INSTANCE_TYPE_OFFERINGS["region"]["nowhere-1"]


def test_an_unknown_instance_type_is_refused(world):
    ec2 = world.client("ec2")
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        ec2.run_instances(ImageId=AMI, InstanceType="t99.tiny", MinCount=1, MaxCount=1)
